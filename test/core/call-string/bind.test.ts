import { z } from 'zod';
import { createCalls, parseCallString, signatureOf } from '../../../core/call-string';
import { Container } from '../../../core/container';
import { type UserError } from '../../../core/errors';
import { type Implementation, Registry } from '../../../core/extensions';

const size = z.union([z.int(), z.tuple([z.int(), z.int()])]).describe('the new height and width');

function registry(): Registry {
  const found = new Registry();
  const add = (name: string, implementation: Omit<Implementation<'pp'>, 'doc' | 'create'>) =>
    found.add<'pp'>({
      point: 'pp',
      name,
      plugin: 'test',
      implementation: {
        doc: '',
        create: (options) => () => ({ made: JSON.stringify(options) }),
        ...implementation,
      },
    });
  add('resize', {
    options: z.strictObject({
      size,
      method: z.enum(['bilinear', 'area']).default('bilinear'),
      antialias: z.boolean().default(false),
    }),
    positional: ['size', 'method', 'antialias'],
  });
  add('keep', { options: z.strictObject({ keys: z.array(z.string()).default([]) }), rest: 'keys' });
  add('flip', { options: z.strictObject({}) });
  return found;
}

const bind = (text: string) => parseCallString(text, registry(), 'pp', 'input.pp');

function problem(text: string): UserError {
  try {
    bind(text);
  } catch (error) {
    return error as UserError;
  }
  throw new Error('no error');
}

describe('binding calls to implementations', () => {
  it('binds arguments by place, by name, and the rest as a list', () => {
    expect(bind("resize(28, antialias=True)|resize((2, 3), 'area')|keep('a', 'b')|keep|flip")).toMatchObject([
      { name: 'resize', options: { size: 28, antialias: true } },
      { name: 'resize', options: { size: [2, 3], method: 'area' } },
      { name: 'keep', options: { keys: ['a', 'b'] } },
      { name: 'keep', options: {} },
      { name: 'flip', options: {} },
    ]);
  });

  it('makes what the string names, with defaults', async () => {
    const [op] = createCalls('resize(28)', registry(), Container.create(), 'pp', 'input.pp');
    expect(await op!.made({}, { uniform: () => 0, integer: () => 0 })).toEqual({
      made: '{"size":28,"method":"bilinear","antialias":false}',
    });
  });

  it('takes 0 and 1 for a boolean, and no other number', async () => {
    const [op] = createCalls("resize(28, 'area', 1)", registry(), Container.create(), 'pp', 'input.pp');
    expect(await op!.made({}, { uniform: () => 0, integer: () => 0 })).toEqual({
      made: '{"size":28,"method":"area","antialias":true}',
    });
    expect(problem('resize(28, antialias=2)').what).toMatch('"antialias" of resize is 2, expected boolean');
  });

  it.each<[string, string, string, string, string]>([
    ['flip|resze(28)', 'call/unknown', 'Unknown pp "resze" in input.pp, column 6. Did you mean "resize"?', 'resze', 'flip, keep, resize'],
    ['resize(28, antialis=True)', 'call/option', 'resize has no option "antialis" in input.pp, column 12. Did you mean "antialias"?', 'antialis', "resize(size, method='bilinear', antialias=False)"],
    ['flip|flip(3)', 'call/positional', 'flip takes no unnamed arguments', '3)', 'flip()'],
    ["resize(1, 'area', True, 5)", 'call/positional', 'resize takes at most 3 unnamed arguments', '5)', 'resize('],
    ['resize(1, size=2)', 'call/twice', 'resize gets its option "size" twice', 'size=2', 'once'],
    ['resize(size=1, size=2)', 'call/twice', 'resize gets its option "size" twice', 'size=2', 'once'],
    ["resize(method='area')", 'call/missing', 'resize needs the option "size" (integer | [integer, integer])', "resize(method", 'resize(size'],
    ["resize('28')", 'call/value', 'The option "size" of resize is "28", expected integer | [integer, integer]', "'28'", 'the new height and width'],
    ["resize(2, 'areas')", 'call/value', 'The option "method" of resize is "areas", expected "bilinear" | "area"', "'areas'", 'value'],
    ['keep(1)', 'call/value', 'The option "keys" of keep is [1], expected string[]', '1)', ''],
  ])('explains %j', (text, code, what, under, fix) => {
    const error = problem(text);
    expect(error.code).toBe(code);
    const [sentence, line, caret] = error.what.split('\n') as [string, string, string];
    expect(sentence).toContain(what);
    expect(line.slice(caret.indexOf('^')).startsWith(under)).toBe(true);
    expect(error.fix).toContain(fix);
  }); // prettier-ignore

  it('writes a call as its documentation would', () => {
    const known = registry();
    expect(signatureOf('keep', known.find('pp', 'keep').implementation)).toBe('keep(*keys)');
    expect(signatureOf('flip', known.find('pp', 'flip').implementation)).toBe('flip()');
  });
});
