import type { RegisterSpec } from './descriptor';

/** A type that gdb's target descriptions define inside a feature. */
export type XmlType =
  | { kind: 'vector'; id: string; type: string; count: number }
  | { kind: 'union'; id: string; fields: readonly (readonly [name: string, type: string])[] }
  /** size in bytes; each flag is one bit. */
  | {
      kind: 'flags';
      id: string;
      size: number;
      bits: readonly (readonly [name: string, bit: number])[];
    };

/** One <feature>: gdb knows it by its name and wants exactly these registers in it. */
export interface XmlFeature {
  name: string;
  types: readonly XmlType[];
  registers: readonly RegisterSpec[];
}

function typeLines(type: XmlType): string[] {
  switch (type.kind) {
    case 'vector':
      return [`<vector id="${type.id}" type="${type.type}" count="${type.count}"/>`];
    case 'union':
      return [
        `<union id="${type.id}">`,
        ...type.fields.map(([name, of]) => `  <field name="${name}" type="${of}"/>`),
        '</union>',
      ];
    case 'flags':
      return [
        `<flags id="${type.id}" size="${type.size}">`,
        ...type.bits.map(([name, bit]) => `  <field name="${name}" start="${bit}" end="${bit}"/>`),
        '</flags>',
      ];
  }
}

function registerLine(reg: RegisterSpec, setId: number): string {
  // name, bitsize, regnum, type and group are gdb's; it ignores the rest, which LLDB reads
  const attributes: [string, string | number | undefined][] = [
    ['name', reg.name],
    ['bitsize', reg.size * 8],
    ['regnum', reg.num],
    ['type', reg.type],
    ['group', reg.group],
    ['group_id', setId],
    ['altname', reg.alt],
    ['offset', reg.gOffset],
    ['encoding', reg.encoding],
    ['format', reg.format],
    ['generic', reg.generic],
    ['ehframe_regnum', reg.dwarf],
    ['dwarf_regnum', reg.dwarf],
  ];
  const text = attributes
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}="${value}"`);
  return `<reg ${text.join(' ')}/>`;
}

/**
 * A whole target description (GDB manual, appendix G) with the attributes and the <groups> element
 * that LLDB takes its register sets from.
 */
export function targetXml(architecture: string, features: readonly XmlFeature[]): string {
  const sets = [...new Set(features.flatMap((f) => f.registers.map((r) => r.set)))];
  const lines = [
    '<?xml version="1.0"?>',
    '<!DOCTYPE target SYSTEM "gdb-target.dtd">',
    '<target version="1.0">',
    `  <architecture>${architecture}</architecture>`,
    '  <osabi>GNU/Linux</osabi>',
    '  <groups>',
    ...sets.map((set, i) => `    <group id="${i + 1}" name="${set}"/>`),
    '  </groups>',
  ];
  for (const feature of features) {
    lines.push(`  <feature name="${feature.name}">`);
    for (const type of feature.types) lines.push(...typeLines(type).map((line) => `    ${line}`));
    for (const reg of feature.registers) {
      lines.push(`    ${registerLine(reg, sets.indexOf(reg.set) + 1)}`);
    }
    lines.push('  </feature>');
  }
  lines.push('</target>', '');
  return lines.join('\n');
}
