'use strict';
const { wrap } = require('./proctor_kit.js');

// Stands for your model. It answers from the first column that holds numbers.
const model = {
  predictProba: (rows) => rows.map((row) => {
    const v = Object.values(row).find((x) => typeof x === 'number') ?? 0;
    const yes = 0.5 + (0.5 * v) / (1 + Math.abs(v));
    return [1 - yes, yes];
  }),
};

wrap(model);
