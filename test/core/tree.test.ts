import {
  collectLeaves,
  firstMatches,
  flatten,
  fullMatch,
  leaves,
  mapNamed,
  mapTree,
  namedLeaves,
  nest,
  subtree,
  unflatten,
} from '../../core/tree';

const tree = { b: 1, a: { y: 2, x: 3 }, l: [4, 5], none: undefined };

test('leaves come in the order of JAX: keys sorted, lists by index, nothing for nothing', () => {
  expect(namedLeaves<number>(tree)).toEqual([
    ['a/x', 3],
    ['a/y', 2],
    ['b', 1],
    ['l/0', 4],
    ['l/1', 5],
  ]);
  expect(leaves<number>(tree)).toEqual([3, 2, 1, 4, 5]);
});

test('unflatten is the inverse of flatten', () => {
  const { leaves, treedef } = flatten<number>(tree);
  expect(unflatten(treedef, leaves)).toEqual(tree);
  expect(mapTree<number, number>(tree, (x) => x * 2)).toEqual({
    b: 2,
    a: { y: 4, x: 6 },
    l: [8, 10],
    none: undefined,
  });
  expect(() => unflatten(treedef, [1])).toThrow('the tree has 5 leaves, got 1');
});

test('collectLeaves takes leaves of the same structure alone', () => {
  const { leaves, treedef } = flatten<number>(tree);
  const collected = (value: object) => {
    const into: unknown[] = [];
    return collectLeaves(treedef, value as never, into) && into;
  };
  expect(collected({ l: [4, 5], none: null, a: { x: 3, y: 2 }, b: 1 })).toEqual(leaves);
  expect(collected({ ...tree, more: 1 })).toBe(false);
  expect(collected({ b: 1, a: { y: 2, x: 3 }, l: [4, 5] })).toBe(false);
  expect(collected({ ...tree, l: [4] })).toBe(false);
  expect(collected({ ...tree, a: 1 })).toBe(false);
  expect(collected({ ...tree, b: undefined })).toBe(false);
  expect(collected({ ...tree, b: [1] })).toBe(false);
  expect(collected({ ...tree, none: 1 })).toBe(false);
});

test('equal structures have equal keys, different ones do not', () => {
  const key = (value: object) => flatten<number>(value as never).treedef.key;
  expect(key({ a: 1, b: 2 })).toBe(key({ b: 7, a: 8 }));
  expect(key({ a: 1 })).not.toBe(key({ b: 1 }));
  expect(key([1, 2])).not.toBe(key([[1, 2]]));
  expect(key({ a: undefined })).not.toBe(key({ a: 1 }));
});

test('instances of classes are leaves', () => {
  const array = new Float32Array(2);
  expect(leaves<Float32Array>({ x: array })).toEqual([array]);
});

test('nest is the inverse of namedLeaves', () => {
  const nested = { head: { kernel: 1, bias: 2 }, cls: 3 };
  expect(nest(namedLeaves<number>(nested))).toEqual(nested);
  expect(() =>
    nest([
      ['a', 1],
      ['a/b', 2],
    ] as const),
  ).toThrow('passes through the leaf "a"');
  expect(() =>
    nest([
      ['a', 1],
      ['a', 2],
    ] as const),
  ).toThrow('there twice');
  expect(mapNamed<number, string>(nested, (name, leaf) => `${name}=${leaf}`)).toEqual({
    head: { kernel: 'head/kernel=1', bias: 'head/bias=2' },
    cls: 'cls=3',
  });
});

test('subtree finds leaves and inner nodes', () => {
  expect(subtree<number>(tree, 'a/x')).toBe(3);
  expect(subtree<number>(tree, 'a')).toEqual({ y: 2, x: 3 });
  expect(subtree<number>(tree, 'l/1')).toBe(5);
  expect(subtree<number>(tree, 'a/z/q')).toBeUndefined();
  expect(subtree<number>(tree, '')).toBe(tree);
});

test('patterns match whole names, and the first match wins', () => {
  expect(fullMatch('head/.*').test('head/kernel')).toBe(true);
  expect(fullMatch('a|b').test('ab')).toBe(false);
  expect(firstMatches(['head/kernel', 'head/bias', 'cls'], ['.*/kernel', 'head/.*'])).toEqual([0, 1, -1]);
});

test('names that objects have by nature are names like any other', () => {
  const named = [
    ['__proto__/polluted', 1],
    ['constructor', 2],
    ['a/toString', 3],
  ] as const;
  const nested = nest(named);
  expect(namedLeaves<number>(nested).sort()).toEqual([...named].map(([name, leaf]) => [name, leaf]).sort());
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
  expect(subtree<number>(nested, 'a/valueOf')).toBeUndefined();
  expect(() => nest([...named, ['constructor', 4] as const])).toThrow('"constructor" is there twice');
});
