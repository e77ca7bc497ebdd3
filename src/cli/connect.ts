import readline from 'node:readline';
import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { parseComm } from './comm';
import { RspClient } from './rsp-client';

const OPTIONS = {
  timeout: { type: 'number', default: 5, describe: 'seconds to wait for a reply' },
} satisfies Record<string, Options>;

interface ConnectArgs extends InferredOptionTypes<typeof OPTIONS> {
  address: string;
  packets?: string[];
}

async function handler(args: ConnectArgs): Promise<void> {
  const { address } = args;
  const comm = parseComm(address);
  if (comm.kind !== 'tcp' && comm.kind !== 'unix')
    throw new Error(`connect needs HOST:PORT or unix:PATH, not "${address}"`);
  const client = new RspClient(args.timeout * 1000);
  await client.connect(comm);
  try {
    for await (const packet of packets(args.packets)) {
      console.log(`-> ${packet}`);
      console.log(`<- ${printable(await client.request(unescapeBytes(packet)))}`);
    }
  } finally {
    client.close();
  }
}

async function* packets(given: string[] | undefined): AsyncGenerator<string> {
  if (given && given.length > 0) yield* given;
  else
    for await (const line of readline.createInterface({ input: process.stdin }))
      if (line.trim() !== '') yield line;
}

function unescapeBytes(text: string): Buffer {
  return Buffer.from(
    text.replace(/\\x([0-9a-fA-F]{2})/g, (_, digits: string) =>
      String.fromCharCode(parseInt(digits, 16)),
    ),
    'latin1',
  );
}

function printable(reply: Buffer): string {
  if (reply.length === 0) return '(empty: the server does not know this packet)';
  return reply
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

export const command: CommandModule<object, ConnectArgs> = {
  command: 'connect <address> [packets..]',
  describe: 'send packets (from standard input if none is given, \\xNN for bytes), print replies',
  builder: OPTIONS,
  handler,
};
