// llama.cpp through node-llama-cpp: node llamacpp_side.mjs FILE ROWS LENGTH TIMES; prints {"seconds": [...]}, the first repetition left out.
import {getLlama} from "node-llama-cpp";
import os from "node:os";

const [file, ...numbers] = process.argv.slice(2);
const [rows, length, times] = numbers.map(Number);
const prompt = 64;
const llama = await getLlama({gpu: false, build: "never", logLevel: "error", maxThreads: os.availableParallelism()});
const model = await llama.loadModel({modelPath: file, useMmap: false});
const context = await model.createContext({contextSize: prompt + length, sequences: rows, batchSize: 2048, threads: os.availableParallelism()});
const sequences = Array.from({length: rows}, () => context.getSequence());

async function once() {
  await Promise.all(sequences.map(async (sequence, row) => {
    await sequence.clearHistory();
    const tokens = Array.from({length: prompt}, (_, i) => 3 + (7919 * row + 31 * i) % 500);
    let n = 0;
    for await (const _ of sequence.evaluate(tokens, {temperature: 1, topK: 0, topP: 1, minP: 0, seed: row + 1, yieldEogToken: true}))
      if (++n === length) break;
    if (n !== length) throw new Error(`row ${row} ended after ${n} tokens`);
  }));
}

const seconds = [];
for (let i = 0; i <= times; i++) {
  const start = performance.now();
  await once();
  seconds.push((performance.now() - start) / 1000);
}
console.log(JSON.stringify({seconds: seconds.slice(1)}));
process.exit(0);
