import type { XmlType } from './xml';

/** EFLAGS as gdb shows it; bit 1 is always set and has no name. */
export const EFLAGS: XmlType = {
  kind: 'flags',
  id: 'i386_eflags',
  size: 4,
  bits: [
    ['CF', 0],
    ['', 1],
    ['PF', 2],
    ['AF', 4],
    ['ZF', 6],
    ['SF', 7],
    ['TF', 8],
    ['IF', 9],
    ['DF', 10],
    ['OF', 11],
    ['NT', 14],
    ['RF', 16],
    ['VM', 17],
    ['AC', 18],
    ['VIF', 19],
    ['VIP', 20],
    ['ID', 21],
  ],
};

export const MXCSR: XmlType = {
  kind: 'flags',
  id: 'i386_mxcsr',
  size: 4,
  bits: [
    ['IE', 0],
    ['DE', 1],
    ['ZE', 2],
    ['OE', 3],
    ['UE', 4],
    ['PE', 5],
    ['DAZ', 6],
    ['IM', 7],
    ['DM', 8],
    ['ZM', 9],
    ['OM', 10],
    ['UM', 11],
    ['PM', 12],
    ['FZ', 15],
  ],
};

/** The views of an XMM register, smallest element first within each class. */
const VIEWS = [
  ['v8_bfloat16', 'v8bf16', 'bfloat16', 8],
  ['v8_half', 'v8h', 'ieee_half', 8],
  ['v4_float', 'v4f', 'ieee_single', 4],
  ['v2_double', 'v2d', 'ieee_double', 2],
  ['v16_int8', 'v16i8', 'int8', 16],
  ['v8_int16', 'v8i16', 'int16', 8],
  ['v4_int32', 'v4i32', 'int32', 4],
  ['v2_int64', 'v2i64', 'int64', 2],
] as const;

/** vec128 and the vectors it is made of. */
export const VEC128: readonly XmlType[] = [
  ...VIEWS.map(([, id, type, count]): XmlType => ({ kind: 'vector', id, type, count })),
  {
    kind: 'union',
    id: 'vec128',
    fields: [...VIEWS.map(([field, id]) => [field, id] as const), ['uint128', 'uint128']],
  },
];

/** The upper half of a ZMM register. */
export const V2UI128: XmlType = { kind: 'vector', id: 'v2ui128', type: 'uint128', count: 2 };
