import type { Packet } from '../packet';
import { breakpoints } from './breakpoints';
import { handshake } from './handshake';
import { hostIo } from './host-io';
import { memory } from './memory';
import { monitor } from './monitor';
import { processes } from './process';
import { registers } from './registers';
import { resumes } from './resume';
import { search } from './search';
import { symbols } from './symbols';
import { threads } from './threads';
import { tracepoints } from './tracepoints';
import { xfer } from './xfer';

/** The families by their title, in the order of the documentation. */
export function packetFamilies(): ReadonlyMap<string, readonly Packet[]> {
  const families: ReadonlyMap<string, readonly Packet[]> = new Map<string, readonly Packet[]>([
    ['Handshake', handshake(() => [...families.values()].flat())],
    ['Threads', threads],
    ['Registers', registers],
    ['Memory', memory],
    ['Resuming', resumes],
    ['Breakpoints', breakpoints],
    ['Tracepoints', tracepoints],
    ['Processes', processes],
    ['Objects', xfer],
    ['Host files', hostIo],
    ['Symbols', symbols],
    ['Searching memory', search],
    ['Monitor', monitor],
  ]);
  return families;
}

/** Every packet of the server. */
export function allPackets(): readonly Packet[] {
  return [...packetFamilies().values()].flat();
}
