import { readFileSync } from 'node:fs';
import { native } from '../../src/native';
import { describeIf } from '../gdb/support/needs';

const flags =
  /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'latin1'))?.[1]?.split(' ') ?? [];
const layout = native.xsaveLayout();

test('there is a layout where the processor has XSAVE', () => {
  expect(layout !== undefined).toBe(flags.includes('xsave'));
});

describeIf(layout ? '' : 'no XSAVE here')('the layout', () => {
  const { size, xcr0, components } = layout ?? { size: 0, xcr0: 0n, components: [] };

  test('has the legacy region, and exactly the components of XCR0', () => {
    expect(components.slice(0, 2)).toEqual([
      { offset: 0, size: 160 },
      { offset: 160, size: 256 },
    ]);
    components.forEach((c, i) => expect(c.size > 0).toBe(((xcr0 >> BigInt(i)) & 1n) === 1n));
    expect(xcr0 >> BigInt(components.length)).toBe(0n);
  });

  test('keeps components apart, after the header, inside the area', () => {
    const present = components
      .slice(2)
      .filter((c) => c.size > 0)
      .sort((a, b) => a.offset - b.offset);
    let end = 576;
    for (const c of present) {
      expect(c.offset).toBeGreaterThanOrEqual(end);
      end = c.offset + c.size;
    }
    expect(end).toBe(size);
  });

  test('agrees with /proc/cpuinfo', () => {
    expect((components[2]?.size ?? 0) > 0).toBe(flags.includes('avx'));
    expect((components[5]?.size ?? 0) > 0).toBe(flags.includes('avx512f'));
    expect((components[9]?.size ?? 0) > 0).toBe(flags.includes('ospke'));
  });
});
