// usage: node bench/.hlo.ts file.mlir...  : times each program with random args
import { Client } from '../plugins/xla/pjrt';
import { installed } from '../plugins/xla/install';
import { parseFlags } from '../plugins/xla/jit';
import { readFileSync } from 'node:fs';
export function args(client: Client, text: string) {
  const sig = /@main\((.*?)\) ->/s.exec(text)![1]!;
  return [...sig.matchAll(/%\w+: tensor<([^>]*)>/g)].map(([, t]) => {
    const parts = t!.split('x');
    const type = parts.pop()! as 'f32';
    const dims = parts.map(Number);
    const n = dims.reduce((a, b) => a * b, 1);
    const data =
      type === 'f32' ? Float32Array.from({ length: n }, () => Math.random() - 0.5) : new Int32Array(n);
    return client.bufferFromHost(data, type, dims);
  });
}
(async () => {
  process.env.TF_CPP_MIN_LOG_LEVEL = '1';
  const client = Client.create(installed('cpu')!);
  const runs = Number(process.env.RUNS ?? 30);
  for (const file of process.argv.slice(2)) {
    const text = readFileSync(file, 'utf8')
      .replace(/tf.aliasing_output = \d+ : i32/g, '')
      .replace(/ \{\}/g, '');
    const t0 = performance.now();
    const exe = client.compile(text, {
      xlaFlags: { xla_cpu_enable_fast_min_max: false, ...parseFlags(process.env.BV_XLA_FLAGS) },
    });
    const compile = performance.now() - t0;
    const a = args(client, text);
    const ts: number[] = [];
    const cs: number[] = []; let sys = 0;
    for (let i = 0; i < runs; i++) {
      const t = performance.now();
      const c = process.cpuUsage();
      const [o] = exe.execute([a]);
      const last = o![o!.length - 1]!;
      last.toHostSync();
      for (const b of o!) b.dispose();
      ts.push(performance.now() - t);
      const d = process.cpuUsage(c);
      cs.push((d.user + d.system) / 1000); sys += d.system / 1000 / runs;
    }
    ts.sort((x, y) => x - y);
    cs.sort((x, y) => x - y);
    console.log(
      file.split('/').pop(),
      'compile',
      (compile / 1000).toFixed(2),
      's; step ms min',
      ts[0]!.toFixed(2),
      'med',
      ts[ts.length >> 1]!.toFixed(2),
      'cpu ms min',
      cs[0]!.toFixed(2),
      'med',
      cs[cs.length >> 1]!.toFixed(2),
    );
  }
})();
