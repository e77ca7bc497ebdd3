import { COMPANION_KINDS } from './support/companions';
import { OPERATIONS } from './support/operations';
import { STRANGERS } from './support/strangers';

/** What is expected where one tool is on a process and another comes. */
export type Expectation = 'works' | 'refused, tracer named' | 'refused';

/** Who may be the second engine of a server. */
export const COMPANIONS = ['gdb', 'gdb that observes'] as const;

/** A held or traced process has room for a stranger where tracers stack with ptrace. */
export function strangerBeside(provider: string): Expectation {
  return provider === 'kernel' ? 'works' : 'refused';
}
export function engineBeside(provider: string): Expectation {
  return provider === 'kernel' ? 'works' : 'refused, tracer named';
}

/** Where a tool that is on the process ends with it, it cannot go before it does. */
export const COMPANION_GOES = 'the other one goes first';

/** The tables of docs/stacking.md: what test/stack/matrix.test.ts and beside.test.ts prove. */
export function matrixTables(): string {
  const rows = [
    '| operation of a gdb of ntrace | beside another gdb of ntrace | beside one that observes |',
    '| --- | --- | --- |',
    ...OPERATIONS.map(({ name }) => `| ${name} | works | works |`),
    '',
    '| first on the process | then comes | embedded provider | kernel provider |',
    '| --- | --- | --- | --- |',
  ];
  const row = (first: string, then: string, of: (provider: string) => Expectation): void => {
    rows.push(`| ${first} | ${then} | ${of('embedded')} | ${of('kernel')} |`);
  };
  for (const { name } of STRANGERS) row('gdb of ntrace', name, strangerBeside);
  row('gdb of ntrace', 'gdb of a second ntrace server', engineBeside);
  for (const { name } of STRANGERS) row(name, 'gdb of ntrace', engineBeside);
  const line = (cells: readonly string[]): void => void rows.push(`| ${cells.join(' | ')} |`);
  const others = COMPANION_KINDS.map(({ name }) => name);
  rows.push('');
  line(['gdb of ntrace with the module, beside', ...others]);
  line(['---', ...others.map(() => '---')]);
  const cells = COMPANION_KINDS.map(({ unproven }) => (unproven ? 'not seen' : 'works'));
  for (const { name } of OPERATIONS) line([name, ...cells]);
  const goes = COMPANION_KINDS.map(({ starts }) => (starts === undefined ? 'works' : '-'));
  line([COMPANION_GOES, ...goes]);
  return `${rows.join('\n')}\n`;
}
