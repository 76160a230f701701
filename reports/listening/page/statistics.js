"use strict";
// The probability of at least `correct` right answers out of `trials` by guessing.
Pedalframe.guessing = (correct, trials) => {
  let ways = 1; // of exactly `count` right answers, over 2 to the power of `trials`
  let sum = 0;
  for (let count = trials; count >= correct; count -= 1) {
    sum += ways;
    ways = (ways * count) / (trials - count + 1);
  }
  return Math.min(1, sum * 0.5 ** trials);
};

Pedalframe.median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
