// Writes docs/packets.md from the packet entries.
import fs from 'node:fs';
import path from 'node:path';
import { packetDocs } from '../src/rsp/packet-docs';
import { packetFamilies } from '../src/rsp/packets';

const FILE = path.resolve(__dirname, '../../docs/packets.md');

fs.mkdirSync(path.dirname(FILE), { recursive: true });
fs.writeFileSync(FILE, packetDocs(packetFamilies()));
console.log(`wrote ${path.relative(process.cwd(), FILE)}`);
