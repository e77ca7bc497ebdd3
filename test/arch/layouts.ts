import type { XsaveLayout } from '../../src/native';

// XSAVE areas in standard format; offsets as CPUID leaf 0xD gives them on common machines.

function layout(size: number, places: Readonly<Record<number, [offset: number, size: number]>>) {
  const components = Array.from({ length: 20 }, (_, i) => {
    const [offset, length] = places[i] ?? [0, 0];
    return { offset, size: length };
  });
  const xcr0 = Object.keys(places).reduce((bits, i) => bits | (1n << BigInt(i)), 0n);
  return { size, xcr0, components } satisfies XsaveLayout;
}

const LEGACY = { 0: [0, 160], 1: [160, 256] } as const satisfies Record<number, [number, number]>;

/** A server: AVX-512 and protection keys, with AMX's tiles behind them. */
export const SERVER: XsaveLayout = layout(11008, {
  ...LEGACY,
  2: [576, 256],
  5: [1088, 64],
  6: [1152, 512],
  7: [1664, 1024],
  9: [2688, 8],
  17: [2752, 64],
  18: [2816, 8192],
});

/** A desktop: AVX and protection keys; some place them at 832. */
export const DESKTOP: XsaveLayout = layout(2696, { ...LEGACY, 2: [576, 256], 9: [2688, 8] });

/** AMD Zen 4 packs differently: offsets come from CPUID, not from a table. */
export const PACKED: XsaveLayout = layout(2440, {
  ...LEGACY,
  2: [576, 256],
  5: [832, 64],
  6: [896, 512],
  7: [1408, 1024],
  9: [2432, 8],
});

/** XSAVE with nothing but the legacy area. */
export const LEGACY_ONLY: XsaveLayout = layout(576, LEGACY);

/** Name, layout: undefined has no XSAVE at all. */
export const LAYOUTS: readonly (readonly [string, XsaveLayout | undefined])[] = [
  ['server', SERVER],
  ['desktop', DESKTOP],
  ['packed', PACKED],
  ['legacy', LEGACY_ONLY],
  ['fxsave', undefined],
];
