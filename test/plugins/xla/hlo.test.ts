// Reading compiled programs, from messages written here.

import { collectivesOf, readHlo } from '../../../plugins/xla/hlo';
import { fieldsOf, integersOf } from '../../../plugins/xla/hlo/wire';
import * as proto from '../../../plugins/xla/pjrt/protobuf';

const f32 = 11;
const s32 = 4;

const packed = (field: number, values: readonly number[]) =>
  proto.message(field, ...values.map((value) => proto.int(0, value).slice(1)));
const array = (type: number, ...dims: number[]) => [...proto.int(2, type), ...packed(3, dims)];
const tuple = (...parts: proto.Message[]) => [
  ...proto.int(2, 13),
  ...parts.flatMap((part) => proto.message(4, part)),
];

interface Instruction {
  readonly id: number;
  readonly opcode: string;
  readonly shape: proto.Message;
  readonly operands?: readonly number[];
  readonly calls?: readonly number[];
  readonly more?: readonly proto.Message[];
}

const computation = (id: number, ...instructions: Instruction[]) =>
  proto.message(
    3,
    ...instructions.map(({ id, opcode, shape, operands = [], calls = [], more = [] }) =>
      proto.message(
        2,
        proto.text(2, opcode),
        proto.message(3, shape),
        proto.int(35, id),
        packed(36, operands),
        packed(38, calls),
        ...more,
      ),
    ),
    proto.int(5, id),
  );

function collectives(...computations: proto.Message[]) {
  const module = [...computations.flat(), ...proto.int(6, 1)];
  const read = readHlo('hlo', Uint8Array.from(module));
  return collectivesOf(read!);
}

const group = (...ids: number[]) => proto.message(49, packed(1, ids));

test('the wire format: all kinds of fields, negative numbers, packed and single ones', () => {
  const message = Uint8Array.from([
    ...proto.int(1, -3),
    ...proto.double(2, 1),
    ...proto.text(3, 'x'),
    ...packed(4, [7, 300]),
  ]);
  const fields = [...fieldsOf(message)];
  expect(fields.map(([field]) => field)).toEqual([1, 2, 3, 4]);
  expect(integersOf(fields[0]![1])).toEqual([-3]);
  expect(integersOf(fields[3]![1])).toEqual([7, 300]);
  expect(() => [...fieldsOf(Uint8Array.from([8]))]).toThrow(RangeError);
});

test('what is no module, or of another format, is undefined', () => {
  expect(readHlo('hlo', Uint8Array.from([255, 255]))).toBeUndefined();
  expect(readHlo('mlir', new Uint8Array())).toBeUndefined();
});

test('collectives by kind and size of their groups, with the bytes of the larger side', () => {
  const found = collectives(
    computation(
      1,
      { id: 1, opcode: 'parameter', shape: array(f32, 4, 8) },
      { id: 2, opcode: 'all-gather', shape: array(f32, 16, 8), operands: [1], more: [group(0, 1, 2, 3)] },
      { id: 3, opcode: 'reduce-scatter', shape: array(f32, 4, 8), operands: [2], more: [group(0, 1, 2, 3)] },
      { id: 4, opcode: 'all-reduce', shape: array(f32, 4, 8), operands: [3], more: [group(0, 1)] },
      { id: 5, opcode: 'all-reduce', shape: array(f32, 4, 8), operands: [4], more: [group(0, 1)] },
    ),
  );
  expect(found).toMatchObject([
    { kind: 'all-gather', devices: 4, count: 1, bytes: 512 },
    { kind: 'reduce-scatter', devices: 4, count: 1, bytes: 512 },
    { kind: 'all-reduce', devices: 2, count: 2, bytes: 256 },
  ]);
});

test('groups along axes of a mesh', () => {
  const axis = (size: number) => proto.message(1, proto.text(1, 'axis'), proto.int(2, size));
  const along = (...axes: proto.Message[]) =>
    proto.message(93, proto.message(1, axis(2), axis(8)), ...axes.map((axis) => proto.message(2, axis)));
  const sizeOf = (groups: proto.Message) =>
    collectives(computation(1, { id: 1, opcode: 'all-reduce', shape: array(f32), more: [groups] }))[0]!
      .devices;
  expect(sizeOf(along([]))).toBe(2);
  expect(sizeOf(along(proto.int(1, 1)))).toBe(8);
  expect(sizeOf(along([], proto.int(1, 1)))).toBe(16);
  expect(sizeOf(along(proto.message(2, proto.int(2, 4))))).toBeUndefined();
});

test('asynchronous ones count once, when they start', () => {
  const found = collectives(
    computation(
      1,
      { id: 1, opcode: 'parameter', shape: array(f32, 8) },
      {
        id: 2,
        opcode: 'all-gather-start',
        shape: tuple(array(f32, 8), array(f32, 32)),
        operands: [1],
      },
      { id: 3, opcode: 'all-gather-done', shape: array(f32, 32), operands: [2] },
    ),
  );
  expect(found).toMatchObject([{ kind: 'all-gather', devices: undefined, count: 1, bytes: 128 }]);
});

test('those in loops count as often as the loop runs: as noted, or as its condition says', () => {
  const body = computation(
    2,
    { id: 1, opcode: 'parameter', shape: array(f32, 2) },
    { id: 2, opcode: 'all-reduce', shape: array(f32, 2), operands: [1] },
  );
  const five = proto.message(8, packed(4, [5]));
  const condition = computation(3, { id: 1, opcode: 'constant', shape: array(s32), more: [five] });
  const loop = (...more: proto.Message[]) =>
    computation(1, { id: 1, opcode: 'while', shape: array(f32, 2), calls: [2, 3], more });
  expect(collectives(body, condition, loop())).toMatchObject([{ count: 5, bytes: 40 }]);
  const noted = proto.text(43, '{"known_trip_count":{"n":"12"}}');
  expect(collectives(body, condition, loop(noted))).toMatchObject([{ count: 12, bytes: 96 }]);
  expect(collectives(body, loop())).toMatchObject([{ count: 1, bytes: 8 }]);
});
