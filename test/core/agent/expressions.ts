// C expressions over the variables of subject.c, as gdb's compiler of agent expressions takes them.

/** A small generator of numbers: the same seed, the same expressions. */
function numbers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const SCALARS = [
  ...['g_c', 'g_uc', 'g_s', 'g_us', 'g_i', 'g_u', 'g_l', 'g_ul', '(int)g_b', '(int)g_e'],
  ...['g_zero', 'g_one', 'g_seven', 'g_round', 'argument', 'wide', 'narrow'],
  ...['local', 'local_long', '*g_p', '**g_pp', 'g_p[-1]', 'g_text[2]', '*g_text'],
  ...['g_union.u64', 'g_union.i32[1]', 'g_union.u8[7]', '(g_p - g_array)', 'g_first.name[1]'],
  ...['g_first.i', 'g_first.b3', 'g_first.sb5', 'g_first.b40', 'g_first.sb33', '(int)g_first.flag'],
  ...['g_sp->in.s', 'g_sp->in.c', 'g_sp->in.l', 'g_sp->next->b40', 'g_sp->next->sb5'],
  ...['g_sp->next->in.s', '(*g_sp).many[1].l', 'g_sp->next->sb33', '(int)g_sp->next->flag'],
  ...['(g_sp->next == &g_second)', '(g_p != *g_pp)', '(g_sp->next->next == 0)'],
  ...['sizeof(g_first)', 'sizeof(struct inner)', 'sizeof(int)'],
];

/** Values that differ from one run of the subject to the next. */
const PLACES = [
  '(long)g_p',
  '(long)&g_first.in',
  '(long)g_sp->next',
  '(long)$rsp',
  '(long)$rbp',
  '(long)$rip',
  '(long)$rdi',
];

const CONSTANTS = ['0', '1', '-1', '7', '255', '65536', '2147483647', '-2147483648', '4294967295'];
const LONG_CONSTANTS = ['5000000000', '-5000000000', '0x7fffffffffffffff', '3u', '9ul'];

const TYPES = [
  ...['char', 'signed char', 'unsigned char', 'short', 'unsigned short', 'int', 'unsigned int'],
  ...['long', 'unsigned long', 'long long'],
];

const BINARY = ['+', '-', '*', '&', '|', '^', '==', '!=', '<', '>', '<=', '>=', '&&', '||'];

/**
 * That many expressions of growing depth. They keep off what gdb's compiler and
 * its own evaluation disagree about: shifts whose count is of a wider or an
 * unsigned type, or past the width; branches of "?:" of different types; casts
 * to an enumeration; constants divided by a constant zero, which the compiler
 * folds. What it does not compile is made int first: _Bool and enumerations as
 * operands.
 */
export function expressions(count: number, seed: number): string[] {
  const below = numbers(seed);
  const one = (list: readonly string[]): string => list[below(list.length)] ?? '0';
  const leaf = (): string => {
    const kind = below(12);
    if (kind < 8) return one(SCALARS);
    if (kind < 9) return one(PLACES);
    return one(kind < 11 ? CONSTANTS : LONG_CONSTANTS);
  };
  const expression = (depth: number): string => {
    if (depth === 0) return leaf();
    const inner = (): string => expression(below(depth));
    switch (below(12)) {
      case 0:
        return `${one(['-', '~', '!', '-'])}(${inner()})`;
      case 1:
        return `(${one(TYPES)})(${inner()})`;
      case 2:
        return `g_array[(${inner()}) & 3]`;
      case 3:
        return `g_matrix[(${inner()}) & 1][(${inner()}) & 1]`;
      case 4:
        return `${one(['g_bytes', 'g_first.name', 'local_array', 'g_union.u8'])}[(${inner()}) & 3]`;
      case 5:
        return `((${inner()}) ? (long)(${inner()}) : (long)(${inner()}))`;
      case 6:
        return `((${inner()}) ${one(['<<', '>>'])} (int)((${inner()}) & 31))`;
      case 7:
        return `g_sp->many[(${inner()}) & 1].${one(['s', 'c', 'l'])}`;
      case 8:
        return `((${inner()}) ${one(['/', '%'])} ((${inner()}) + g_zero))`;
      default:
        return `((${inner()}) ${one(BINARY)} (${inner()}))`;
    }
  };
  return [
    ...[...SCALARS, ...PLACES, ...CONSTANTS, ...LONG_CONSTANTS],
    ...Array.from({ length: count }, (_, i) => expression(1 + (i % 4))),
  ];
}

/**
 * Does it mean the same in another run of the subject, and to gdbserver? Its
 * "ext" goes wrong for widths of 33 to 63 bits (a mask of type int).
 */
export function isServed(expression: string): boolean {
  return !/\$|\(long\)[g&]|g_round|sb33/.test(expression);
}
