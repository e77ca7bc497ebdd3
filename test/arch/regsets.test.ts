import type { RegisterSpec } from '../../src/engine/arch/descriptor';
import { NT_386_TLS, NT_PRSTATUS, NT_X86_XSTATE } from '../../src/engine/arch/notes';
import type { Case } from './fixture';
import { CASES, clone, random, randomRegsets, reader } from './fixture';
import { SERVER } from './layouts';

const XSTATE_BV = 512;

function g(c: Case, sets: ReadonlyMap<number, Buffer>): Buffer {
  const out = Buffer.alloc(c.arch.gSize, 0xaa);
  expect(c.arch.toG(reader(sets), out, 0)).toEqual(c.arch.registers.map(() => true));
  return out;
}

function part(all: Buffer, reg: RegisterSpec): string {
  return all.toString('hex', reg.gOffset, reg.gOffset + reg.size);
}

function byName(c: Case, name: string): RegisterSpec {
  return c.arch.byName.get(name)!;
}

/** Names of the registers whose bytes are not the same. */
function differing(c: Case, a: Buffer, b: Buffer): string[] {
  return c.arch.registers.filter((reg) => part(a, reg) !== part(b, reg)).map((reg) => reg.name);
}

/** Any value that survives the round trip: reserved bits clear. */
function settable(c: Case, next: () => number): Buffer {
  const value = Buffer.from(Array.from({ length: c.arch.gSize }, () => next() & 0xff));
  for (const reg of c.arch.registers) {
    value.fill(0, reg.gOffset + reg.stored, reg.gOffset + reg.size);
    if (reg.name === 'fop') value[reg.gOffset + 1]! &= 7;
  }
  return value;
}

describe.each(CASES.map((c) => [c.label, c] as const))('%s', (_label, c) => {
  const next = random(0x5eed + c.arch.gSize);

  test('numbers and offsets follow from the order', () => {
    let offset = 0;
    c.arch.registers.forEach((reg, i) => {
      expect(reg.num).toBe(i);
      expect(reg.gOffset).toBe(offset);
      expect(reg.offset).toBeGreaterThanOrEqual(0);
      expect(reg.stored).toBeLessThanOrEqual(reg.size);
      offset += reg.size;
    });
    expect(c.arch.gSize).toBe(offset);
  });

  test('writing back what was read changes nothing', () => {
    for (let i = 0; i < 50; i++) {
      const sets = randomRegsets(c, next);
      const before = clone(sets);
      expect(c.arch.fromG(g(c, sets), reader(sets))).toEqual([]);
      const changed = [...sets].filter(([note, raw]) => !raw.equals(before.get(note)!));
      expect(changed.map(([note]) => note)).toEqual([]);
    }
  });

  test('what is written is read back, whatever was there', () => {
    for (let i = 0; i < 50; i++) {
      const sets = randomRegsets(c, next);
      const value = settable(c, next);
      expect(new Set(c.arch.fromG(value, reader(sets)))).toEqual(new Set(c.arch.notes));
      const after = g(c, sets);
      const tags = byName(c, 'ftag');
      // the full tags follow from the registers' values; only emptiness is stored
      expect(differing(c, value, after).filter((name) => name !== 'ftag')).toEqual([]);
      for (let shift = 0; shift < 16; shift += 2) {
        const empty = (all: Buffer): boolean =>
          ((all.readUInt16LE(tags.gOffset) >> shift) & 3) === 3;
        expect(empty(after)).toBe(empty(value));
      }
    }
  });

  test('one register at a time agrees with the whole', () => {
    for (let i = 0; i < 10; i++) {
      const sets = randomRegsets(c, next);
      const all = g(c, sets);
      const one = c.arch.registers.map((reg) => c.arch.getRegister(reg, reader(sets))!);
      expect(Buffer.concat(one).toString('hex')).toBe(all.toString('hex'));
    }
  });

  test('setting one register changes it and nothing else', () => {
    const value = settable(c, next);
    for (const reg of c.arch.registers) {
      const sets = randomRegsets(c, next);
      const before = g(c, sets);
      const bytes = Buffer.from(value.subarray(reg.gOffset, reg.gOffset + reg.size));
      const notes = c.arch.setRegister(reg, bytes, reader(sets));
      const after = g(c, sets);
      // tags are computed from st0-7, fstat (the top of stack) and the abridged tags
      const derived = /^(st\d|fstat|ftag)$/.test(reg.name) ? 'ftag' : '';
      const want = Buffer.from(before);
      bytes.copy(want, reg.gOffset);
      expect([reg.name, ...differing(c, want, after).filter((name) => name !== derived)]).toEqual([
        reg.name,
      ]);
      const same = part(before, reg) === part(after, reg);
      if (!same) expect(notes).toEqual([reg.note]);
      expect(c.arch.setRegister(reg, bytes, reader(sets))).toEqual([]);
    }
  });

  test('a missing or short regset makes its registers unavailable', () => {
    for (const note of c.arch.notes) {
      for (const short of [undefined, Buffer.alloc(0), Buffer.alloc(1)]) {
        const sets = randomRegsets(c, next);
        if (short) sets.set(note, short);
        else sets.delete(note);
        const out = Buffer.alloc(c.arch.gSize, 0xaa);
        const available = c.arch.toG(reader(sets), out, 0);
        expect(available).toEqual(c.arch.registers.map((reg) => reg.note !== note));
        expect(c.arch.fromG(settable(c, next), reader(sets))).not.toContain(note);
        const gone = c.arch.registers.filter((reg) => reg.note === note);
        const zero = gone.filter((reg) => /^0+$/.test(part(out, reg)));
        expect(zero).toEqual(gone);
        const unread = gone.filter((reg) => !c.arch.getRegister(reg, reader(sets)));
        expect(unread).toEqual(gone);
        const written = gone.flatMap((reg) =>
          c.arch.setRegister(reg, Buffer.alloc(reg.size, 1), reader(sets)),
        );
        expect(written).toEqual([]);
      }
    }
  });

  test('a short g packet leaves the rest alone', () => {
    const sets = randomRegsets(c, next);
    const before = g(c, sets);
    const pc = c.arch.pc;
    const cut = Buffer.from(before.subarray(0, pc.gOffset + pc.size));
    cut[pc.gOffset]! ^= 0xff;
    expect(c.arch.fromG(cut, reader(sets))).toEqual([NT_PRSTATUS]);
    const want = Buffer.from(before);
    want[pc.gOffset]! ^= 0xff;
    expect(differing(c, want, g(c, sets))).toEqual([]);
  });

  test('toG writes at its offset and nowhere else', () => {
    const sets = randomRegsets(c, next);
    const out = Buffer.alloc(c.arch.gSize + 20, 0xaa);
    c.arch.toG(reader(sets), out, 10);
    expect(out.subarray(10, -10).equals(g(c, sets))).toBe(true);
    expect(out.subarray(0, 10)).toEqual(Buffer.alloc(10, 0xaa));
    expect(out.subarray(-10)).toEqual(Buffer.alloc(10, 0xaa));
  });
});

describe('initial state', () => {
  const c = CASES.find((one) => one.label === 'x86-64 server')!;
  const idle = (): Map<number, Buffer> => {
    const sets = randomRegsets(c, random(7));
    sets.get(NT_X86_XSTATE)!.writeBigUInt64LE(0n, XSTATE_BV);
    return sets;
  };
  const live = (sets: Map<number, Buffer>): bigint =>
    sets.get(NT_X86_XSTATE)!.readBigUInt64LE(XSTATE_BV);
  const value = (sets: Map<number, Buffer>, name: string): string =>
    c.arch.getRegister(byName(c, name), reader(sets))!.toString('hex');

  test('is what the processor would load, not what the bytes hold', () => {
    const sets = idle();
    expect(value(sets, 'fctrl')).toBe('7f030000');
    expect(value(sets, 'ftag')).toBe('ffff0000');
    expect(value(sets, 'mxcsr')).toBe('801f0000');
    for (const name of [
      'st3',
      'xmm5',
      'ymm1h',
      'k2',
      'zmm3h',
      'zmm20h',
      'xmm16',
      'pkru',
      'fioff',
    ]) {
      expect(value(sets, name)).toMatch(/^0+$/);
    }
  });

  test.each([
    ['st0', 0],
    ['fctrl', 0],
    ['fop', 0],
    ['xmm7', 1],
    ['mxcsr', 1],
    ['ymm3h', 2],
    ['k1', 5],
    ['zmm2h', 6],
    ['xmm31', 7],
    ['ymm16h', 7],
    ['zmm31h', 7],
    ['pkru', 9],
  ])('a write to %s makes component %i live and the rest of it initial', (name, component) => {
    const sets = idle();
    const reg = byName(c, name);
    const bytes = Buffer.alloc(reg.size);
    bytes[0] = 5;
    const before = g(c, sets);
    expect(c.arch.setRegister(reg, bytes, reader(sets))).toEqual([NT_X86_XSTATE]);
    expect(live(sets)).toBe(1n << BigInt(component));
    const want = Buffer.from(before);
    bytes.copy(want, reg.gOffset);
    expect(differing(c, want, g(c, sets))).toEqual([]);
  });

  test('writing an initial value keeps a component idle', () => {
    const sets = idle();
    expect(c.arch.setRegister(byName(c, 'ymm3h'), Buffer.alloc(16), reader(sets))).toEqual([]);
    expect(
      c.arch.setRegister(byName(c, 'ftag'), Buffer.from('ffff0000', 'hex'), reader(sets)),
    ).toEqual([]);
    expect(live(sets)).toBe(0n);
  });

  test('mxcsr is live with AVX alone', () => {
    const sets = idle();
    const xsave = sets.get(NT_X86_XSTATE)!;
    xsave.writeBigUInt64LE(4n, XSTATE_BV);
    xsave.writeUInt32LE(0x1fa0, 24);
    expect(value(sets, 'mxcsr')).toBe('a01f0000');
    c.arch.setRegister(byName(c, 'xmm0'), Buffer.alloc(16, 1), reader(sets));
    expect(value(sets, 'mxcsr')).toBe('a01f0000');
    expect(live(sets)).toBe(6n);
  });

  test('an area without the tiles, as the kernel gives before they are asked for', () => {
    const sets = idle();
    sets.set(NT_X86_XSTATE, sets.get(NT_X86_XSTATE)!.subarray(0, 2696));
    expect(c.arch.toG(reader(sets), Buffer.alloc(c.arch.gSize), 0)).not.toContain(false);
    expect(SERVER.size).toBeGreaterThan(2696);
  });
});

describe('layout of the raw sets', () => {
  const amd64 = CASES.find((c) => c.label === 'x86-64 server')!;
  const i386 = CASES.find((c) => c.label === 'i386 server')!;

  test('struct user_regs_struct', () => {
    const raw = Buffer.alloc(27 * 8);
    for (let i = 0; i < 27; i++) raw.writeBigUInt64LE(BigInt(i + 1), 8 * i);
    const sets = new Map([[NT_PRSTATUS, raw]]);
    const at = (name: string): number =>
      amd64.arch.getRegister(byName(amd64, name), reader(sets))![0]! - 1;
    expect(['r15', 'rbp', 'rax', 'rdi', 'orig_rax', 'rip'].map(at)).toEqual([0, 4, 10, 14, 15, 16]);
    expect(
      ['cs', 'eflags', 'rsp', 'ss', 'fs_base', 'gs_base', 'ds', 'es', 'fs', 'gs'].map(at),
    ).toEqual([17, 18, 19, 20, 21, 22, 23, 24, 25, 26]);
    expect(amd64.arch.threadPointer(reader(sets))).toBe(22n);
    expect(amd64.arch.threadPointer(() => undefined)).toBeUndefined();
  });

  test('struct user_regs_struct32', () => {
    const raw = Buffer.alloc(17 * 4);
    for (let i = 0; i < 17; i++) raw.writeUInt32LE(i + 1, 4 * i);
    const sets = new Map([[NT_PRSTATUS, raw]]);
    const at = (name: string): number =>
      i386.arch.getRegister(byName(i386, name), reader(sets))![0]! - 1;
    expect(['ebx', 'ebp', 'eax', 'gs', 'orig_eax', 'eip', 'eflags', 'esp', 'ss'].map(at)).toEqual([
      0, 5, 6, 10, 11, 12, 14, 15, 16,
    ]);
  });

  test('the thread pointer of i386 is the base of the GDT entry gs selects', () => {
    const raw = Buffer.alloc(17 * 4);
    raw.writeUInt32LE(0x63, 40); // entry 12, RPL 3
    const tls = Buffer.alloc(48);
    [12, 13, 14].forEach((entry, i) => {
      tls.writeUInt32LE(entry, 16 * i);
      tls.writeUInt32LE(0xf7d00000 + i, 16 * i + 4);
    });
    const sets = new Map([
      [NT_PRSTATUS, raw],
      [NT_386_TLS, tls],
    ]);
    expect(i386.arch.threadPointer(reader(sets))).toBe(0xf7d00000n);
    raw.writeUInt32LE(0x6b, 40);
    expect(i386.arch.threadPointer(reader(sets))).toBe(0xf7d00001n);
    raw.writeUInt32LE(0, 40);
    expect(i386.arch.threadPointer(reader(sets))).toBeUndefined();
  });
});
