import * as fc from 'fast-check';
import { type Literal, parseCalls } from '../../../core/call-string';
import { UserError } from '../../../core/errors';

const plain = (text: string) =>
  parseCalls(text).map(({ name, args }) => [
    name,
    args.filter((a) => a.name === undefined).map((a) => a.value),
    Object.fromEntries(args.filter((a) => a.name !== undefined).map((a) => [a.name, a.value])),
  ]);

/** The error's text up to the line with "Try:". */
function problem(text: string): string {
  try {
    parseCalls(text, 'input.pp');
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).code).toBe('call/syntax');
    return (error as UserError).what;
  }
  throw new Error(`no error for ${text}`);
}

describe('call strings', () => {
  it.each<[string, unknown]>([
    ['', []],
    ['||  |', []],
    ['decode', [['decode', [], {}]]],
    ['decode()|resize(28)', [['decode', [], {}], ['resize', [28], {}]]], // prettier-ignore
    ['  a  |b ( 1 )| ', [['a', [], {}], ['b', [1], {}]]], // prettier-ignore
    ['keep(\'image\', "labels")', [['keep', ['image', 'labels'], {}]]],
    ['foo.bar.func(a=0,b=(1),c="s")', [['foo.bar.func', [], { a: 0, b: 1, c: 's' }]]],
    ["func(1,'2',a=3,foo='bar')", [['func', [1, '2'], { a: 3, foo: 'bar' }]]],
    [
      'f(-1, +2, -1e-3, 1., .5, 1.5e3, 1_000, 0x1F, 0b11, 0o17)',
      [['f', [-1, 2, -0.001, 1, 0.5, 1500, 1000, 31, 3, 15], {}]],
    ],
    ['f(None, True, False)', [['f', [null, true, false], {}]]],
    ['f((), (1,), [1, [2, 3]], {})', [['f', [[], [1], [1, [2, 3]], {}], {}]]],
    ["f({'a': 1, 'b': (None, {'c': 'x'})})", [['f', [{ a: 1, b: [null, { c: 'x' }] }], {}]]],
    ["f('a' 'b')", [['f', ['ab'], {}]]],
    ["f(r'\\d+')", [['f', ['\\d+'], {}]]],
    ["f('\\n\\t\\\\\\'\\x41\\u00e9\\101\\d')", [['f', ["\n\t\\'AéA\\d"], {}]]],
    ["f('''a'b|\nc''')", [['f', ["a'b|\nc"], {}]]],
    ["f('|')|g(\"a|'b\")|h", [['f', ['|'], {}], ['g', ["a|'b"], {}], ['h', [], {}]]], // prettier-ignore
    ["f('it\\'s | fine')|g", [['f', ["it's | fine"], {}], ['g', [], {}]]], // prettier-ignore
    ['f(\n  1,\n  2,\n)', [['f', [1, 2], {}]]],
  ])('reads %j', (text, expected) => expect(plain(text)).toEqual(expected));

  it.each<[string, string, number]>([
    ['func(0', '"," or ")"', 7],
    ['func(a=0,,b=0)', 'an argument', 10],
    ["func(a=0,b==1,c='s')", 'a named argument', 10],
    ["func(a=0,b=undefined_name,c='s')", "a literal; a text needs quotes: 'undefined_name'", 12],
    ['decode|resize(2 3)', '"," or ")"', 17],
    ['decode|resize(28))', 'a pipe or the end', 18],
    ['decode resize', 'a pipe or the end', 8],
    ["decode|keep('image|x", "a closing ' for the quote", 13],
    ['value_range(-1 1)', 'a comma', 16],
    ['f(x=true)', 'a literal; Python writes True', 5],
    ['f(1+2)', 'a literal', 3],
    ['f(g(1))', 'a literal', 3],
    ['f(*x)', 'a literal', 3],
    ['f([1, 2)', 'a value, or "]"', 8],
    ['f(0777)', 'a number', 3],
    ['f(2j)', 'a real number', 3],
    ['f("\\U00110000")', 'a character up to', 3],
    ["f(b'x')", "a plain string: no b'...'", 3],
    ['3', 'a name or a call', 1],
    ['f(1)(2)', 'a name or a call', 1],
    ['a=1', 'a name or a call', 1],
  ])('points at what is wrong in %j', (text, expected, column) => {
    const [sentence, line, caret] = problem(text).split('\n') as [string, string, string];
    expect(sentence).toContain(`expected ${expected}`);
    expect(sentence).toContain(`in input.pp`);
    expect(line.trim()).toBe(text);
    expect(caret.indexOf('^') - line.indexOf(text) + 1).toBe(column);
  });

  it('cuts a long line so that the caret stays in place', () => {
    const text = `${'decode|'.repeat(40)}resize(x)${'|decode'.repeat(40)}`;
    const [, line, caret] = problem(text).split('\n') as [string, string, string];
    expect(line.length).toBeLessThan(110);
    expect(line[caret.indexOf('^')]).toBe('x');
    expect(line.slice(caret.indexOf('^') - 7).startsWith('resize(x)')).toBe(true);
  });

  it('keeps the places of names and arguments', () => {
    const text = "decode| resize(28, method='area')";
    const [, call] = parseCalls(text);
    expect(text.slice(call!.nameSpan.from, call!.nameSpan.to)).toBe('resize');
    expect(call!.args.map(({ span }) => text.slice(span.from, span.to))).toEqual(['28', "method='area'"]);
  });

  it('reads back any literal', () => {
    const { literal } = fc.letrec<{ literal: Literal }>((tie) => ({
      literal: fc.oneof(
        { maxDepth: 4 },
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (Object.is(x, -0) ? 0 : x)),
        fc.boolean(),
        fc.constant(null),
        fc.string(),
        fc.array(tie('literal'), { maxLength: 4 }),
        fc.dictionary(fc.stringMatching(/^[a-z]+$/), tie('literal'), { maxKeys: 3 }),
      ),
    }));
    const python = (value: Literal): string => {
      if (value === null) return 'None';
      if (typeof value === 'boolean') return value ? 'True' : 'False';
      if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
      if (typeof value !== 'object') return JSON.stringify(value);
      return `{${Object.entries(value).map(([key, inner]) => `'${key}': ${python(inner as Literal)}`).join(', ')}}`; // prettier-ignore
    };
    fc.assert(
      fc.property(literal, fc.boolean(), (value, named) => {
        const [call] = parseCalls(`f(${named ? 'x=' : ''}${python(value)})|g`);
        expect(call!.args[0]!.value).toEqual(value);
      }),
    );
  });

  it('never throws anything but its own error', () => {
    const piece = fc.constantFrom('f', '(', ')', ',', '=', '|', "'", '"', '1', '.', '[', ']', '{', '}', ':', '-', ' ', 'a', '#', '\\', '\n', ';', '*', 'None'); // prettier-ignore
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          parseCalls(pieces.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
