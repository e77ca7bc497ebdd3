import type { XsaveLayout } from '../../native';

/** XSAVE state components (Intel SDM volume 1, 13.1). */
export const X87 = 0;
export const SSE = 1;
export const AVX = 2;
export const OPMASK = 5;
export const ZMM_HI256 = 6;
export const HI16_ZMM = 7;
export const PKRU = 9;

export const FCTRL_INIT = 0x37f;
export const FTAG_INIT = 0xffff;
export const MXCSR_INIT = 0x1f80;

// offsets in the legacy area, which is the fxsave format
export const FCTRL = 0;
export const MXCSR = 24;
export const ST_SPACE = 32;
export const XMM_SPACE = 160;
const LEGACY_CONTROL = 24; // bytes before mxcsr
const XMM_SIZE = 256;
const XSTATE_BV = 512;

/** Bits of components a register belongs to: it reads as its initial value if none is set. */
export function componentBit(component: number): number {
  return 1 << component;
}

/** MXCSR is live when either of its users is. */
export const MXCSR_BITS = componentBit(SSE) | componentBit(AVX);

/** Whether the machine has the component and the layout tells where it is. */
export function hasComponent(layout: XsaveLayout | undefined, component: number): boolean {
  if (layout === undefined) return component <= SSE; // fxsave alone
  if (((layout.xcr0 >> BigInt(component)) & 1n) === 0n) return component <= SSE;
  return component <= SSE || (layout.components[component]?.size ?? 0) > 0;
}

/** Low half of XSTATE_BV: which components are not in their initial state. */
export function stateBits(xsave: Buffer): number {
  return xsave.length >= XSTATE_BV + 8 ? xsave.readUInt32LE(XSTATE_BV) : 0;
}

/**
 * Makes one component live before a write to part of it: the rest of it takes its initial values,
 * which its bytes need not hold while the bit is clear.
 */
export function activate(xsave: Buffer, layout: XsaveLayout, component: number): void {
  const bits = stateBits(xsave);
  if (bits & componentBit(component)) return;
  if (component === X87) {
    xsave.fill(0, 0, LEGACY_CONTROL);
    xsave.writeUInt16LE(FCTRL_INIT, FCTRL);
    xsave.fill(0, ST_SPACE, XMM_SPACE);
  } else if (component === SSE) {
    xsave.fill(0, XMM_SPACE, XMM_SPACE + XMM_SIZE);
  } else {
    const place = layout.components[component];
    if (place) xsave.fill(0, place.offset, place.offset + place.size);
  }
  if (componentBit(component) & MXCSR_BITS && !(bits & MXCSR_BITS)) {
    xsave.writeUInt32LE(MXCSR_INIT, MXCSR);
  }
  xsave.writeUInt32LE((bits | componentBit(component)) >>> 0, XSTATE_BV);
}
