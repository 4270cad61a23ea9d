// A zod schema as JSON Schema, with the questions that error messages, overrides and `bv describe` ask of it: which keys
// are there, what is at a path, how does one say its type.

import { z } from 'zod';

export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode | boolean;
  readonly prefixItems?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly allOf?: readonly SchemaNode[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
}

const views = new WeakMap<z.ZodType, SchemaNode>();

/** What a user may write; what zod can't express as JSON Schema counts as anything. */
export function viewOf(schema: z.ZodType): SchemaNode {
  const known = views.get(schema);
  if (known) return known;
  const view = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as SchemaNode;
  views.set(schema, view);
  return view;
}

/** The alternatives of a union, or the node itself. */
function branches(node: SchemaNode): readonly SchemaNode[] {
  const inner = node.anyOf ?? node.oneOf ?? node.allOf;
  return inner ? inner.flatMap(branches) : [node];
}

/** The names that may be written at this node; patterns and free names not among them. */
export function keysOf(node: SchemaNode): string[] {
  return [...new Set(branches(node).flatMap((branch) => Object.keys(branch.properties ?? {})))];
}

/** What may stand under a key or an index, or undefined where nothing may. */
export function childOf(node: SchemaNode, key: string): SchemaNode | undefined {
  const found = branches(node).flatMap((branch) => childOfBranch(branch, key));
  if (found.length === 0) return undefined;
  return found.length === 1 ? found[0] : { anyOf: found };
}

function childOfBranch(node: SchemaNode, key: string): SchemaNode[] {
  // A node without type or keys takes anything.
  if (Object.keys(node).every((name) => ['description', 'default', '$schema'].includes(name))) return [{}];
  const property = node.properties?.[key];
  if (property) return [property];
  if (/^\d+$/.test(key)) {
    const item = node.prefixItems?.[Number(key)] ?? node.items;
    if (typeof item === 'object') return [item];
    if (item === true) return [{}];
  }
  if (typeof node.additionalProperties === 'object') return [node.additionalProperties];
  return node.additionalProperties === true ? [{}] : [];
}

/** The node at a path, or undefined. */
export function nodeAt(node: SchemaNode, path: readonly PropertyKey[]): SchemaNode | undefined {
  let at: SchemaNode | undefined = node;
  for (const key of path) at = at && childOf(at, String(key));
  return at;
}

/** `number`, `string`, `boolean`, `null`, `array`, `object` that the node takes; empty means anything. */
export function typesOf(node: SchemaNode): ReadonlySet<string> {
  const types = branches(node).map((branch) => {
    if (branch.type !== undefined) return [branch.type].flat();
    const values = branch.enum ?? ('const' in branch ? [branch.const] : undefined);
    return values?.map((value) => (value === null ? 'null' : typeof value));
  });
  if (types.some((type) => type === undefined)) return new Set();
  return new Set(types.flatMap((type) => type ?? []).map((type) => (type === 'integer' ? 'number' : type)));
}

/** The type as TypeScript would write it, with bounds: `"a" | "b"`, `[string, number][]`, `integer >= 1`. */
export function typeText(node: SchemaNode): string {
  const inner = node.anyOf ?? node.oneOf;
  if (inner) return [...new Set(inner.map(typeText))].join(' | ');
  if (node.allOf) return node.allOf.map(typeText).join(' & ');
  if ('const' in node) return JSON.stringify(node.const);
  if (node.enum) return node.enum.map((value) => JSON.stringify(value)).join(' | ');
  const types = [node.type ?? 'any'].flat();
  return types.map((type) => typeName(type, node)).join(' | ');
}

function typeName(type: string, node: SchemaNode): string {
  switch (type) {
    case 'array':
      return arrayText(node);
    case 'object': {
      if (node.properties) return `{${Object.keys(node.properties).join(', ')}}`;
      const value =
        typeof node.additionalProperties === 'object' ? typeText(node.additionalProperties) : 'any';
      return `{[name]: ${value}}`;
    }
    case 'integer':
    case 'number':
      return `${type}${boundsText(node)}`;
    default:
      return type;
  }
}

function arrayText(node: SchemaNode): string {
  if (node.prefixItems) return `[${node.prefixItems.map(typeText).join(', ')}]`;
  const item = typeof node.items === 'object' ? typeText(node.items) : 'any';
  return /[ |&]/.test(item) && !/^\[[^[\]]*\]$/.test(item) ? `(${item})[]` : `${item}[]`;
}

function boundsText(node: SchemaNode): string {
  // zod writes the bounds of safe integers where none are asked for.
  const real = (value: number | undefined) =>
    value !== undefined && Math.abs(value) !== Number.MAX_SAFE_INTEGER;
  const parts: string[] = [];
  if (real(node.minimum)) parts.push(`>= ${node.minimum}`);
  if (real(node.exclusiveMinimum)) parts.push(`> ${node.exclusiveMinimum}`);
  if (real(node.maximum)) parts.push(`<= ${node.maximum}`);
  if (real(node.exclusiveMaximum)) parts.push(`< ${node.exclusiveMaximum}`);
  return parts.length > 0 ? ` ${parts.join(' ')}` : '';
}
