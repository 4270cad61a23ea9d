// Our tables against the header that the plugin's wheel carries.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { apiVersion } from '../../../../plugins/xla/pjrt/api';
import { elementTypes } from '../../../../plugins/xla/pjrt/element-types';
import { codeName } from '../../../../plugins/xla/pjrt/errors';
import { functionNames } from '../../../../plugins/xla/pjrt/functions';
import { type Field, type Fields, layoutOf } from '../../../../plugins/xla/pjrt/layout';
import { structs } from '../../../../plugins/xla/pjrt/structs';
import { describeWithPlugin, pluginPath } from './support';

const scalarKinds: Record<string, Field> = {
  size_t: 'size',
  int64_t: 'int64',
  int: 'int32',
  float: 'float',
  bool: 'bool',
};

describeWithPlugin('pjrt_c_api.h', () => {
  const header = readFileSync(path.join(path.dirname(pluginPath()), 'include/pjrt_c_api.h'), 'utf8').replace(
    /\/\/[^\n]*/g,
    '',
  );
  const enums = new Set([...header.matchAll(/\} (PJRT_\w+);/g)].map(([, name]) => name!));

  /** The fields of a struct as declared, or undefined when there is no such struct. */
  function declared(name: string): Fields | undefined {
    const body = new RegExp(`struct ${name} \\{([^]*?)\\n\\};?`).exec(header)?.[1];
    return body === undefined ? undefined : fieldsOf(body);
  }

  function fieldsOf(body: string): Fields {
    const fields: Record<string, Field> = {};
    const unions: Fields[] = [];
    const flat = body.replace(/union \{([^]*?)\};/g, (_, members: string) => {
      unions.push(fieldsOf(members));
      return `union union${unions.length};`;
    });
    for (const declaration of flat.split(';').map((text) => text.replace(/\s+/g, ' ').trim())) {
      const name = /\(\*(\w+)\)/.exec(declaration)?.[1] ?? /(\w+)$/.exec(declaration)?.[1];
      if (!name || name === 'struct_size' || name === 'extension_start') continue;
      const type = declaration.slice(0, -name.length).trim();
      fields[name] = type === 'union' ? { union: unions[Number(name.slice(5)) - 1]! } : kindOf(type);
    }
    return fields;
  }

  function kindOf(type: string): Field {
    if (/[*(]|Callback$|Deleter$/.test(type)) return 'pointer';
    if (scalarKinds[type]) return scalarKinds[type];
    const struct = declared(type);
    if (struct) return { struct };
    expect(enums).toContain(type);
    return 'int32';
  }

  /** Names and types in order; what a union is called is ours to choose. */
  const inOrder = (fields: Fields) =>
    Object.entries(fields).map(([name, field]) =>
      typeof field === 'object' && 'union' in field ? field : [name, field],
    );

  test('is of the version that the tables are for', () => {
    expect(header).toMatch(new RegExp(`#define PJRT_API_MAJOR ${apiVersion.major}\\n`));
    expect(header).toMatch(new RegExp(`#define PJRT_API_MINOR ${apiVersion.minor}\\n`));
  });

  test('has our functions, in our order', () => {
    const fields = [...header.matchAll(/^\s+_PJRT_API_STRUCT_FIELD\((\w+)\)/gm)].map(([, name]) => name);
    expect(functionNames).toEqual(fields);
  });

  test.each(Object.keys(structs).filter((name) => name !== 'PJRT_Api'))('declares %s as we do', (name) => {
    const fields = structs[name as keyof typeof structs] as Fields;
    expect(inOrder(fields)).toEqual(inOrder(declared(name)!));
    const last = new RegExp(`PJRT_DEFINE_STRUCT_TRAITS\\(\\s*${name},\\s*(\\w+)\\)`).exec(header)![1]!;
    const { places, structSize } = layoutOf(fields);
    expect(Math.max(...Object.values(places).map((place) => place.offset))).toBe(places[last]!.offset);
    expect(structSize).toBeGreaterThan(places[last]!.offset);
  });

  test('starts its table of functions where we look', () => {
    expect(header).toMatch(
      /struct PJRT_Api \{\s+size_t struct_size;\s+PJRT_Extension_Base\* extension_start;\s+PJRT_Api_Version pjrt_api_version;\s+_PJRT_API_STRUCT_FIELD/,
    );
  });

  test('numbers element types as we do', () => {
    const numbered = [...header.matchAll(/PJRT_Buffer_Type_(\w+),/g)].map(([, name]) => name);
    for (const { pjrt, pjrtName } of Object.values(elementTypes)) expect(numbered[pjrt]).toBe(pjrtName);
  });

  test('numbers errors as we do', () => {
    const codes = [...header.matchAll(/PJRT_Error_Code_(\w+) = (\d+)/g)];
    expect(codes).toHaveLength(17);
    for (const [, name, number] of codes) expect(codeName(Number(number))).toBe(name);
  });
});

test('layouts follow the rules of C', () => {
  const { places, structSize, stride } = layoutOf({
    a: 'bool',
    b: 'int64',
    c: 'bool',
    d: 'int32',
    e: 'bool',
  });
  const offsets = Object.values(places).map((place) => place.offset);
  expect(offsets).toEqual([0, 8, 16, 24, 32, 36, 40]);
  expect({ structSize, stride }).toEqual({ structSize: 41, stride: 48 });
});
