import { parseArg, toNumber } from '../../../core/config/args';
import { UserError } from '../../../core/errors';

const spec = { variant: 'B/16', res: 224, runlocal: false };

test('defaults, where nothing is given', () => {
  expect(parseArg('', spec)).toEqual(spec);
});

test('names with values; the types are those of the defaults', () => {
  const args = parseArg('res=384,variant=L/14,runlocal=true', spec);
  expect(args).toEqual({ variant: 'L/14', res: 384, runlocal: true });
  const typed: { variant: string; res: number; runlocal: boolean } = args;
  expect(typed.res).toBe(384);
});

test.each([
  ['runlocal', { ...spec, runlocal: true }],
  ['S/32', { ...spec, variant: 'S/32' }],
  ['res=1e2,runlocal', { ...spec, res: 100, runlocal: true }],
  ['runlocal=FALSE', spec],
  ['runlocal=', spec],
  [',res=8,', { ...spec, res: 8 }],
  ['variant=a=b', { ...spec, variant: 'a=b' }],
])('"%s"', (text, expected) => {
  expect(parseArg(text, spec)).toEqual(expected);
});

test('a lone word without a spec is true', () => {
  expect(parseArg('runlocal', {}, { lazy: true })).toEqual({ runlocal: true });
});

test('a default with a type', () => {
  const args = parseArg('scales=1x2', {
    init: [null, String],
    steps: [undefined, Number],
    scales: [[1], (text: string) => text.split('x').map(Number)],
  });
  const typed: { init: string | null; steps: number | undefined; scales: number[] } = args;
  expect(typed).toEqual({ init: null, steps: undefined, scales: [1, 2] });
  expect(parseArg('steps=5,init=a', { init: [null, String], steps: [undefined, Number] })).toEqual({
    init: 'a',
    steps: 5,
  });
});

test('lazy: unknown names are kept, typed by what they look like', () => {
  expect(parseArg('a=3,b=1.5,c=True,d=x,e', { variant: 'B' }, { lazy: true })).toEqual({
    variant: 'B',
    a: 3,
    b: 1.5,
    c: true,
    d: 'x',
    e: true,
  });
});

test.each([
  ['resolution=3', 'config-arg/unknown', /Unknown argument "resolution" .*one of: variant, res, runlocal/s],
  ['res=big', 'config-arg/value', /"res" is "big", expected a number/],
  ['runlocal=1', 'config-arg/value', /"runlocal" is "1", expected true or false/],
])('"%s" is an error', (text, code, message) => {
  const parse = () => parseArg(text, spec);
  expect(parse).toThrow(UserError);
  expect(parse).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
});

test.each([
  ['3', 3],
  ['-1.5e-3', -0.0015],
  ['1_000', 1000],
  ['.5', 0.5],
  ['5.', 5],
  ['', undefined],
  ['0x10', undefined],
  ['1__0', undefined],
  ['Infinity', undefined],
])('number "%s"', (text, value) => {
  expect(toNumber(text)).toBe(value);
});
