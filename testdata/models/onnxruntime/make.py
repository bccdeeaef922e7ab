"""Makes model.onnx: the probability of yes is (1 + erf(20 (x - 0.5))) / 2.

Erf is one of the operators that Proctor's own evaluator does not know and onnxruntime
does; networks for text have it in their activations. Needs onnx (made with 1.23.2).
"""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

inits = [numpy_helper.from_array(np.array(v, dtype=np.float32), n) for n, v in [("middle", 0.5), ("steep", 20), ("one", 1), ("half", 0.5)]]
nodes = [
    helper.make_node("Sub", ["x", "middle"], ["d"]),
    helper.make_node("Mul", ["d", "steep"], ["z"]),
    helper.make_node("Erf", ["z"], ["e"]),
    helper.make_node("Add", ["e", "one"], ["e1"]),
    helper.make_node("Mul", ["e1", "half"], ["yes"]),
    helper.make_node("Sub", ["one", "yes"], ["no"]),
    helper.make_node("Concat", ["no", "yes"], ["probabilities"], axis=1),
]
graph = helper.make_graph(
    nodes,
    "rule",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1])],
    [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 2])],
    inits,
)
model = helper.make_model(graph, producer_name="", opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, "model.onnx")
