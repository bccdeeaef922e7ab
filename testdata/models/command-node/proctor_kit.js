'use strict';
// Serve a model to Proctor. One file, nothing but Node: put it beside your program.
//
//     const { wrap } = require('./proctor_kit.js');
//     wrap({ predictProba: (rows) => rows.map((row) => myModel(row.text)) });
//
// wrap answers batches on standard input until they end. What it takes care of:
//
// - The classes come from proctor-model.json. A model with `classes` of its own has its
//   columns brought into the manifest's order; other names than the manifest's are refused.
// - What anything prints after this file is required goes to standard error: standard output
//   belongs to the protocol. Require it before the libraries of the model.
// - An answer that is no answer (too few rows, NaN, a sum other than 1) stops the program
//   with a sentence on standard error that says which batch and row.
const fs = require('fs');
const readline = require('readline');

const MANIFEST = 'proctor-model.json';

// ownOutput keeps standard output for answers; whatever else is printed goes to standard error.
function ownOutput() {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  return (value) => new Promise((done, failed) => {
    write(JSON.stringify(value) + '\n', (err) => (err ? failed(err) : done()));
  });
}

const write = ownOutput();

/**
 * Serve model until standard input ends.
 *
 * model    has predictProba(rows) -> one array of probabilities a row, or else
 *          predict(rows) -> one class a row: its name, or its index in the manifest.
 *          Either may return a promise.
 * columns  the features in the order that the model wants; as they come if not given.
 * rows     what a row is: 'objects' or 'lists'. Values are numbers or strings.
 */
async function wrap(model, { columns, rows = 'objects' } = {}) {
  if (rows !== 'objects' && rows !== 'lists') throw new Error(`rows is ${rows}; known are 'objects' and 'lists'`);
  const classes = JSON.parse(fs.readFileSync(MANIFEST, 'utf8')).classes;
  const answer = answerer(model, classes);
  let total = 0;
  for await (const line of readline.createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    const batch = JSON.parse(line);
    const n = batch.rows.length;
    try {
      await write({ b: batch.b, ...(await answer(shape(batch.rows, columns, rows), n)) });
    } catch (err) {
      console.error(`proctor_kit: batch ${batch.b} of ${n} rows could not be answered`);
      throw err;
    }
    total += n;
  }
  await write({ end: total });
}

function shape(batch, columns, rows) {
  const names = columns || Object.keys(batch[0]);
  const missing = names.filter((c) => !(c in batch[0]));
  if (missing.length) throw new Error(`the rows have no column ${missing.join(', ')}; they have ${Object.keys(batch[0]).join(', ')}`);
  if (rows === 'lists') return batch.map((row) => names.map((c) => row[c]));
  return columns ? batch.map((row) => Object.fromEntries(names.map((c) => [c, row[c]]))) : batch;
}

// answerer returns what maps rows to the "p" or the "y" of an answer.
function answerer(model, classes) {
  if (typeof model.predictProba !== 'function') {
    if (typeof model.predict !== 'function') throw new Error('the model has neither predictProba nor predict');
    return async (x, n) => ({ y: labels(await model.predict(x), classes, n) });
  }
  const order = orderOf(model.classes, classes);
  return async (x, n) => ({ p: probabilities(await model.predictProba(x), order, n) });
}

// orderOf says which of the model's columns is which class of the manifest.
function orderOf(own, classes) {
  if (!own) return classes.map((_, i) => i);
  const names = Array.from(own, String);
  if (names.length !== classes.length || classes.some((c) => !names.includes(c))) {
    throw new Error(`the model's classes are ${names}, those of ${MANIFEST} are ${classes}`);
  }
  return classes.map((c) => names.indexOf(c));
}

function probabilities(p, order, n) {
  if (p.length !== n) throw new Error(`predictProba gave ${p.length} rows for ${n}`);
  return Array.from(p, (row, i) => {
    const values = Array.from(row, Number);
    const sum = values.reduce((a, b) => a + b, 0);
    if (values.length !== order.length) throw new Error(`row ${i + 1}: ${values.length} probabilities for ${order.length} classes`);
    if (!values.every((v) => v >= 0 && v <= 1) || !(Math.abs(sum - 1) <= 1e-3)) {
      throw new Error(`row ${i + 1}: ${values} are not probabilities that sum to 1`);
    }
    return order.map((j) => values[j]);
  });
}

// labels gives -1 for an answer that is none of the classes; it counts as wrong.
function labels(y, classes, n) {
  if (y.length !== n) throw new Error(`predict gave ${y.length} answers for ${n} rows`);
  return Array.from(y, (v) => (Number.isInteger(v) && v >= -1 && v < classes.length ? v : classes.indexOf(String(v))));
}

module.exports = { wrap };
