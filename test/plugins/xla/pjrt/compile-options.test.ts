import { encodeCompileOptions } from '../../../../plugins/xla/pjrt/compile-options';
import { describeWithPlugin, moduleOf, useClient } from './support';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('the bytes are those of a CompileOptionsProto', () => {
  const unset = '08ffffffffffffffffff01'; // device_ordinal = -1
  expect(hex(encodeCompileOptions())).toBe(`1a14${unset}200128013000980101` + '2000');
  expect(hex(encodeCompileOptions({ partitions: 2, deviceAssignment: [[0, 300]] }))).toBe(
    `1a23${unset}200128023001980101` + '4a0d080110021a0208001a0308ac02' + '2000',
  );
});

describeWithPlugin('compile options', () => {
  const client = useClient();
  const identity = moduleOf('%a: tensor<f32>', 'return %a : tensor<f32>', 'tensor<f32>');

  test('XLA flags are passed on by name', () => {
    const xlaFlags = { xla_cpu_enable_fast_math: true, xla_backend_optimization_level: 1, xla_dump_to: '' };
    expect(() => client().compile(identity, { xlaFlags }).dispose()).not.toThrow();
  });

  test('an unknown XLA flag is an error that names it', () => {
    expect(() => client().compile(identity, { xlaFlags: { xla_bogus: true } })).toThrow(/xla_bogus/);
  });

  test('an XLA flag of the wrong type is an error', () => {
    expect(() => client().compile(identity, { xlaFlags: { xla_cpu_enable_fast_math: 'maybe' } })).toThrow();
  });
});
