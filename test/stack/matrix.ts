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

/** The tables of docs/stacking.md: what test/stack/matrix.test.ts proves. */
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
  return `${rows.join('\n')}\n`;
}
