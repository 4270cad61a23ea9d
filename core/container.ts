// Dependency injection: one child container a run, services under explicit tokens. An implementation says what it
// needs as a tuple of tokens (`inject: [tokens.runtime, tokens.metrics]`) and gets the values as arguments.

import 'reflect-metadata';
import { container as rootContainer, type DependencyContainer, instanceCachingFactory } from 'tsyringe';
import { catalogue } from './errors';

/** Names a service and carries its type. */
export interface Token<T> {
  readonly symbol: symbol;
  /** Only for the type checker. */
  readonly type?: T;
}

export function token<T>(name: string): Token<T> {
  return { symbol: Symbol(name) };
}

/** The values of a tuple of tokens. */
export type Injected<Tokens extends readonly Token<unknown>[]> = {
  readonly [I in keyof Tokens]: Tokens[I] extends Token<infer T> ? T : never;
};

const errors = catalogue('inject', {
  missing: (chain: readonly string[]) => ({
    what: `Nothing provides the service "${chain.at(-1)}". Asked for by: ${chain.slice(0, -1).join(' -> ') || 'the run'}.`,
    fix: `add the plugin that provides "${chain.at(-1)}" to the workspace, or provide it with container.provide().`,
  }),
  cycle: (chain: readonly string[]) => ({
    what: `Services need each other in a circle: ${chain.join(' -> ')}.`,
    fix: 'pass one of them a function that asks for the other when it is called.',
  }),
});

export class Container {
  private readonly pending: string[] = [];

  private constructor(private readonly services: DependencyContainer) {}

  static create(): Container {
    return new Container(rootContainer.createChildContainer());
  }

  /** A container of its own that falls back to this one. */
  child(): Container {
    return new Container(this.services.createChildContainer());
  }

  provide<T>(key: Token<T>, value: T): void {
    this.services.register(key.symbol, { useValue: value });
  }

  /** Makes the service when it is first asked for, once. */
  provideLazily<T, const Needs extends readonly Token<unknown>[]>(
    key: Token<T>,
    needs: Needs,
    create: (...services: Injected<Needs>) => T,
  ): void {
    this.services.register(key.symbol, {
      useFactory: instanceCachingFactory(() => create(...this.getAll(needs))),
    });
  }

  has(key: Token<unknown>): boolean {
    return this.services.isRegistered(key.symbol, true);
  }

  /** The service; an error shows the chain from what was asked for to what is missing. */
  get<T>(key: Token<T>): T {
    const name = key.symbol.description ?? '?';
    const chain = [...this.pending, name];
    if (!this.has(key)) throw errors.missing(chain);
    if (this.pending.includes(name)) throw errors.cycle(chain);
    this.pending.push(name);
    try {
      return this.services.resolve<T>(key.symbol);
    } finally {
      this.pending.pop();
    }
  }

  getAll<const Needs extends readonly Token<unknown>[]>(needs: Needs): Injected<Needs> {
    return needs.map((key) => this.get(key)) as unknown as Injected<Needs>;
  }

  /** Calls `create` with the services it needs; `who` stands in the chain of an error. */
  call<const Needs extends readonly Token<unknown>[], R>(
    who: string,
    needs: Needs,
    create: (...services: Injected<Needs>) => R,
  ): R {
    this.pending.push(who);
    try {
      return create(...this.getAll(needs));
    } finally {
      this.pending.pop();
    }
  }
}
