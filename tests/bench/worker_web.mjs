// ONNX Runtime Web, WASM in Node. worker_web.mjs NPM_FOLDER MODEL INPUT BATCH THREADS
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';

const [npm, model, input, batch, threads] = process.argv.slice(2);
const folder = path.resolve(npm, 'node_modules/onnxruntime-web');
const ort = await import(path.join(folder, 'dist/ort.node.min.mjs'));
const { version } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json')));
const now = () => Number(process.hrtime.bigint());
const tell = (values) => console.log(JSON.stringify(values));

ort.env.wasm.numThreads = Number(threads);
ort.env.logLevel = 'error';
const floats = Number(batch) * 3 * 224 * 224;
const data = fs.readFileSync(input).subarray(0, floats * 4);
const pictures = new Float32Array(Uint8Array.from(data).buffer);

const start = now();
const session = await ort.InferenceSession.create(fs.readFileSync(model), {
  executionProviders: ['wasm'],
  graphOptimizationLevel: 'all',
  executionMode: 'sequential',
});
const loaded = now();
const feeds = { input: new ort.Tensor('float32', pictures, [Number(batch), 3, 224, 224]) };
let scores;
const run = async () => { scores = (await session.run(feeds)).scores.data; };
await run();
tell({ load_ms: (loaded - start) / 1e6, first_ms: (now() - loaded) / 1e6, version });

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [what, argument] = line.split(' ');
  if (what === 'run') {
    const ns = [], before = process.cpuUsage();
    for (let i = 0; i < Number(argument); i++) {
      const begin = now();
      await run();
      ns.push(now() - begin);
    }
    const cpu = process.cpuUsage(before);
    tell({ ns, cpu_ns: (cpu.user + cpu.system) * 1000 });
  } else if (what === 'out') {
    fs.writeFileSync(argument, Buffer.from(Float32Array.from(scores).buffer));
    tell({});
  } else if (what === 'rss') {
    const status = fs.readFileSync('/proc/self/status', 'utf8');
    tell({ peak_kb: Number(/VmHWM:\s+(\d+)/.exec(status)[1]) });
  } else break;
}
process.exit(0);
