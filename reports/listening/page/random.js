"use strict";
// What the scripts of the page share; each adds its part.
const Pedalframe = { content: JSON.parse(document.getElementById("content").textContent) };

// Chance: a session's seed comes from the browser, everything blind is derived from it, so a
// page that is loaded anew in the middle goes on in the same order.
{
  const rotated = (word, by) => ((word << by) | (word >>> (32 - by))) >>> 0;

  // xoshiro128** (Blackman & Vigna 2021), as in blinding.py: endless 32-bit words.
  Pedalframe.words = function* (state) {
    let [s0, s1, s2, s3] = state;
    for (;;) {
      yield Math.imul(rotated(Math.imul(s1, 5) >>> 0, 7), 9) >>> 0;
      const shifted = s1 << 9;
      s2 ^= s0;
      s3 ^= s1;
      s1 ^= s2;
      s0 ^= s3;
      s2 ^= shifted;
      s3 = rotated(s3 >>> 0, 11);
      [s0, s1, s2] = [s0 >>> 0, s1 >>> 0, s2 >>> 0];
    }
  };

  const drawing = (seed) => Pedalframe.words(seed.match(/.{8}/g).map((word) => parseInt(word, 16)));

  // A random token of 32 hexadecimal digits.
  Pedalframe.newToken = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  };

  // A number below `count`, all equally likely: words beyond the last whole multiple are skipped.
  function below(count, words) {
    const limit = 2 ** 32 - (2 ** 32 % count);
    for (;;) {
      const word = words.next().value;
      if (word < limit) return word % count;
    }
  }

  function shuffled(list, words) {
    const order = [...list];
    for (let last = order.length - 1; last > 0; last -= 1) {
      const chosen = below(last + 1, words);
      [order[last], order[chosen]] = [order[chosen], order[last]];
    }
    return order;
  }

  // ABX: which side X is and which item is heard, by trial. Items take turns in random order.
  Pedalframe.abxTrials = (seed, trials, items) => {
    const words = drawing(seed);
    const sides = Array.from({ length: trials }, () => (words.next().value >>> 31 ? "b" : "a"));
    const heard = [];
    while (heard.length < trials) heard.push(...shuffled(items, words));
    return sides.map((x, number) => ({ x, item: heard[number] }));
  };

  // MUSHRA: the order of items, and of the sounds within each.
  Pedalframe.mushraTrials = (seed, stimuli) => {
    const words = drawing(seed);
    return shuffled(Object.keys(stimuli).sort(), words).map((item) => ({
      item,
      stimuli: shuffled(stimuli[item], words),
    }));
  };
}
