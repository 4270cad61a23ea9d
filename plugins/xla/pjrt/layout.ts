// Where each field of a C struct lies, worked out from its declaration by the C rules (a field is aligned to
// its own size; a struct to its widest field). The tables in structs.ts are the declarations.

/** How a field is stored. Enums and `int` are `int32`; `size` is `size_t`; a null pointer is `0n`. */
export type Kind = 'pointer' | 'size' | 'int64' | 'int32' | 'float' | 'bool';

export type Field = Kind | { readonly struct: Fields } | { readonly union: Readonly<Record<string, Field>> };

/** A struct after its first two fields, which all of PJRT's share: `struct_size` and `extension_start`. */
export type Fields = Readonly<Record<string, Field>>;

export interface Place {
  readonly offset: number;
  /** Absent for an embedded struct. */
  readonly kind?: Kind;
}

export interface Layout {
  readonly places: Readonly<Record<string, Place>>;
  /** What `struct_size` must say: the end of the last field, without padding (`PJRT_STRUCT_SIZE`). */
  readonly structSize: number;
  /** Distance between elements of an array of these. */
  readonly stride: number;
  readonly alignment: number;
}

const widths: Record<Kind, number> = { pointer: 8, size: 8, int64: 8, int32: 4, float: 4, bool: 1 };

const alignUp = (offset: number, alignment: number) => Math.ceil(offset / alignment) * alignment;

/** Bytes and alignment of one field. */
function extent(field: Field): { size: number; alignment: number } {
  if (typeof field === 'string') return { size: widths[field], alignment: widths[field] };
  if ('struct' in field) {
    const { stride, alignment } = layoutOf(field.struct);
    return { size: stride, alignment };
  }
  const members = Object.values(field.union).map(extent);
  const alignment = Math.max(...members.map((member) => member.alignment));
  return { size: alignUp(Math.max(...members.map((member) => member.size)), alignment), alignment };
}

/** The layout of a struct; a union's members all appear under their own names, at one offset. */
export function layoutOf(fields: Fields): Layout {
  const places: Record<string, Place> = {};
  let end = 0;
  let widest = 1;
  const all: Fields = { struct_size: 'size', extension_start: 'pointer', ...fields };
  for (const [name, field] of Object.entries(all)) {
    const { size, alignment } = extent(field);
    const offset = alignUp(end, alignment);
    const members = typeof field === 'object' && 'union' in field ? field.union : { [name]: field };
    for (const [member, type] of Object.entries(members)) {
      places[member] = typeof type === 'string' ? { offset, kind: type } : { offset };
    }
    end = offset + size;
    widest = Math.max(widest, alignment);
  }
  return { places, structSize: end, stride: alignUp(end, widest), alignment: widest };
}
