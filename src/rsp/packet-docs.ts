import type { Packet } from './packet';

const WHEN: Readonly<Record<Packet['when'], string>> = {
  always: 'always',
  stopped: 'while stopped',
  inferior: 'while stopped, with a process',
};

const INTRODUCTION = `# Packets

Generated from the packet entries in \`src/rsp/packets/\` by \`npm run docs\`: do not edit.

Each row is one packet of the GDB remote serial protocol that the server answers. **When** tells in
which phase it is taken, **needs** the engine's feature without which the packet is unknown, and
**says** what the answer to \`qSupported\` contains for it. A packet that is marked † earns a stop
reply.
`;

/** Text in a cell of a Markdown table. */
function cell(text: string): string {
  return text.replace(/\\|\|/g, (char) => `\\${char}`);
}
function code(text: string): string {
  return `\`${cell(text)}\``;
}

function feature({ feature: said }: Packet): string {
  if (said === undefined) return '';
  return typeof said === 'string' ? said.split(';').map(code).join(' ') : 'depends on the client';
}

function row(entry: Packet): string {
  const cells = [
    code(entry.syntax) + (entry.stopReply ? ' †' : ''),
    cell(entry.summary),
    WHEN[entry.when],
    entry.capability === undefined ? '' : code(entry.capability),
    feature(entry),
  ];
  return `| ${cells.join(' | ')} |\n`;
}

/** docs/packets.md: a table for each family. */
export function packetDocs(families: ReadonlyMap<string, readonly Packet[]>): string {
  let text = INTRODUCTION;
  for (const [title, packets] of families) {
    text += `\n## ${title}\n\n`;
    text += '| packet | what it does | when | needs | says |\n|---|---|---|---|---|\n';
    for (const entry of packets) text += row(entry);
  }
  return text;
}
