import { UserError } from '../../../core/errors';
import { itstime, type StepSizes, stepsOf } from '../../../core/train/steps';
import { expectCase, goldenCases, readCase } from '../../support/golden';
import { hostArray } from '../../../core/array';

interface ItstimeArgs {
  readonly every_n_steps: number | null;
  readonly total_steps: number;
  readonly first?: boolean;
  readonly last?: boolean;
  readonly drop_close_to_last?: number;
}

interface Call extends StepSizes {
  readonly prefix: string;
  readonly config: Record<string, number | null>;
  readonly default?: number;
}

const sizes = { data_size: 1000, batch_size: 8, total_steps: 25 };

function codeOf(f: () => unknown): string {
  try {
    f();
  } catch (error) {
    if (error instanceof UserError) return error.code;
    throw error;
  }
  return 'ok';
}

describe('stepsOf', () => {
  const call = ({ prefix, config, ...rest }: Call) =>
    'default' in rest ? stepsOf<unknown>(prefix, config, rest, rest.default) : stepsOf(prefix, config, rest);

  test.each(goldenCases(({ name }) => name === 'steps').map(({ folder }) => folder))('%s', async (folder) => {
    const golden = await readCase(folder);
    const got = (golden.args.calls as Call[]).map((one) => call(one) as number);
    expectCase(new Map([['steps', hostArray('int32', [got.length], got)]]), golden);
  });

  test('what the original refuses is an error here', async () => {
    const { args } = await readCase('sched_steps_errors');
    const codes = (args.calls as Call[]).map((bad) => codeOf(() => call(bad)));
    expect(codes).toEqual(['steps/missing', 'steps/no-reference', 'steps/several-units', 'steps/percent']);
  });

  test('rounds half to even, and not to none', () => {
    const inSteps = (examples: number) => stepsOf('log', { log_examples: examples }, sizes);
    expect([4, 12, 20, 28, 1, 0].map(inSteps)).toEqual([1, 2, 2, 4, 1, 0]);
  });

  test('90 epochs of ImageNet', () => {
    expect(stepsOf('total', { total_epochs: 90 }, { data_size: 1_268_355, batch_size: 1024 })).toBe(111_477);
  });

  test('steps are taken as they are, and a negative number or null as not set', () => {
    expect(stepsOf('warmup', { warmup_steps: 0.1, warmup_epochs: -1, warmup_percent: null }, sizes)).toBe(
      0.1,
    );
  });

  test('an undefined fallback is a fallback', () => {
    expect(stepsOf('ckpt', {}, sizes, undefined)).toBeUndefined();
  });

  test('errors say what to write', () => {
    const of = (config: object) => {
      try {
        return stepsOf('warmup', config, sizes);
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(of({ warmup_steps: 10, warmup_percent: 0.1 })).toMatch(
      /warmup_steps and warmup_percent are all set/,
    );
    expect(of({ warmup_percent: 10 })).toMatch(/from 0 to 1.\nTry: warmup_percent=0.1/);
    expect(of({ warmup_epochs: '3' })).toMatch(/warmup_epochs is "3", not a number/);
    expect(of({})).toMatch(/Try: set one of: warmup_steps, warmup_examples, warmup_epochs, warmup_percent/);
  });
});

describe('itstime', () => {
  // Which process acts is not a question of when.
  const cases = goldenCases(({ name, args }) => name === 'itstime' && !('host' in args));
  test.each(cases.map(({ folder }) => folder))('%s', async (folder) => {
    const golden = await readCase(folder);
    const { every_n_steps, total_steps, first, last, drop_close_to_last } =
      golden.args as unknown as ItstimeArgs;
    const steps = golden.inputs.get('step')?.data as Int32Array;
    const options = { first, last, dropCloseToLast: drop_close_to_last };
    const due = Array.from(steps, (step) => Number(itstime(step, every_n_steps, total_steps, options)));
    expectCase(new Map([['output', hostArray('uint8', [due.length], due)]]), golden);
  });

  test('30 of 100: the first, every 30th, the last', () => {
    const due = Array.from({ length: 100 }, (_, i) => i + 1).filter((step) => itstime(step, 30, 100));
    expect(due).toEqual([1, 30, 60, 90, 100]);
  });
});
