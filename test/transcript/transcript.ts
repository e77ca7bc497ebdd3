import type { Client } from '../rsp/client';

/** "-> packet" and the replies "<- regexp" that it must bring, in order. */
interface Exchange {
  line: number;
  packet: string;
  replies: string[];
}
export interface Transcript {
  /** What the first line says after "world": the process the packets are about. */
  world: string[];
  exchanges: Exchange[];
}

/**
 * Reads a transcript: "world NAME [ARGS]", "# comment", "-> packet", "-> ^C", "<- regexp". Packets
 * hold bytes as \xNN. ${NAME} in both is a variable of the world, or a named group that an earlier
 * reply matched.
 */
export function parseTranscript(text: string): Transcript {
  let world: string[] = [];
  const exchanges: Exchange[] = [];
  text.split('\n').forEach((line, index) => {
    if (line === '' || line.startsWith('#')) return;
    if (line.startsWith('world ')) world = line.slice(6).split(' ');
    else if (line.startsWith('-> '))
      exchanges.push({ line: index + 1, packet: line.slice(3), replies: [] });
    else if (line.startsWith('<-') && exchanges.length > 0)
      exchanges.at(-1)!.replies.push(line.slice(3));
    else throw new Error(`line ${index + 1} is neither packet nor reply: ${line}`);
  });
  return { world, exchanges };
}

/** Plays it; throws at the first difference, with its line. */
export function play(
  { exchanges }: Transcript,
  client: Client,
  variables: Map<string, string>,
): void {
  const fill = (text: string, quote: (value: string) => string): string =>
    text.replace(/\$\{(\w+)\}/g, (whole, name: string) => {
      const value = variables.get(name);
      return value === undefined ? whole : quote(value);
    });
  for (const { line, packet, replies } of exchanges) {
    const bytes = fill(packet, (value) => value).replace(/\\x([0-9a-f]{2})/g, (_, code: string) =>
      String.fromCharCode(parseInt(code, 16)),
    );
    const got = packet === '^C' ? client.raw(Buffer.from([3])) : client.all(bytes);
    if (got.length < replies.length) got.push(...client.settle());
    const shown = got.map((reply) => reply.toString('latin1'));
    if (shown.length !== replies.length)
      throw new Error(`line ${line}: ${packet} brought ${shown.length} replies: ${shown}`);
    replies.forEach((wanted, i) => {
      const match = new RegExp(`^(?:${fill(wanted, quoted)})$`, 's').exec(shown[i]!);
      if (!match)
        throw new Error(`line ${line}: ${packet} brought\n  ${shown[i]}\nnot\n  ${wanted}`);
      for (const [name, value] of Object.entries(match.groups ?? {})) variables.set(name, value);
    });
  }
}

function quoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
