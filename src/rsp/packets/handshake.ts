import { packet, WRITTEN, type Packet } from '../packet';
import { PACKET_SIZE, type Session } from '../session';

/** Takes over what the client announced; each qSupported overrides the last. */
function announce(session: Session, list: string): void {
  session.client.clear();
  for (const item of list.split(';')) if (item !== '') session.client.add(item);
  session.multiprocess = session.client.has('multiprocess+');
  session.target.interest.take(session.client);
}

/** What is said back to a client that has said it itself. */
const MUTUAL = [
  'multiprocess',
  'swbreak',
  'hwbreak',
  'no-resumed',
  'error-message',
  'single-inf-arg',
  'multi-wp-addr',
] as const;

/** qSupported's answer is made of what the packets' own entries say. */
function features(session: Session, packets: readonly Packet[]): string {
  const said = [`PacketSize=${PACKET_SIZE.toString(16)}`];
  for (const { feature, capability } of packets) {
    if (feature === undefined) continue;
    if (capability !== undefined && !session.engine.has(capability)) continue;
    const text = typeof feature === 'string' ? feature : feature(session);
    if (text !== undefined) said.push(text);
  }
  for (const name of MUTUAL) if (session.client.has(`${name}+`)) said.push(`${name}+`);
  if (session.engine.has('fork')) {
    if (session.client.has('fork-events+')) said.push('fork-events+');
    if (session.client.has('vfork-events+')) said.push('vfork-events+');
  }
  if (session.engine.has('exec') && session.client.has('exec-events+')) said.push('exec-events+');
  return said.join(';');
}

/** packets: every entry of the server, for qSupported. */
export function handshake(packets: () => readonly Packet[]): Packet[] {
  return [
    packet({
      match: 'qSupported',
      syntax: 'qSupported[:feature;...]',
      summary: 'Tells what the client can and answers what the server can.',
      when: 'always',
      args: (a) => (a.take(':') ? a.rest() : ''),
      run(session, list) {
        announce(session, list);
        return features(session, packets());
      },
    }),
    packet({
      match: 'QStartNoAckMode',
      exact: true,
      syntax: 'QStartNoAckMode',
      summary: 'No acknowledgements from here on.',
      when: 'always',
      feature: 'QStartNoAckMode+',
      run(session) {
        session.noAck = true;
        return 'OK';
      },
    }),
    packet({
      match: '!',
      exact: true,
      syntax: '!',
      summary: 'Extended mode: the server stays when the last process is gone.',
      when: 'always',
      run(session) {
        session.extended = true;
        return 'OK';
      },
    }),
    packet({
      match: '?',
      exact: true,
      syntax: '?',
      summary: 'Why did it stop? Stops what runs, and tells.',
      when: 'always',
      stopReply: true,
      run(session) {
        if (session.nonStop)
          return session.notify.restart(session.target.allStops()) ? WRITTEN : 'OK';
        session.tell(session.target.status());
        return WRITTEN;
      },
    }),
    packet({
      match: 'QNonStop:',
      syntax: 'QNonStop:0|1',
      summary: 'Leaves all-stop for non-stop mode, or comes back.',
      when: 'always',
      feature: 'QNonStop+',
      args: (a) => a.num(),
      run(session, on) {
        const before = session.nonStop;
        session.nonStop = on === 1;
        if (!session.nonStop) session.target.quiesce();
        else if (!before) session.target.releaseUntold();
        return 'OK';
      },
    }),
    packet({
      match: 'vStopped',
      exact: true,
      syntax: 'vStopped',
      summary: 'Acknowledges a %Stop and asks for the next stop.',
      when: 'always',
      run: (session) => (session.notify.next() ? WRITTEN : 'OK'),
    }),
    packet({
      match: 'QThreadSuffixSupported',
      exact: true,
      syntax: 'QThreadSuffixSupported',
      summary: 'An LLDB client: packets carry ;thread:TID;, x has its raw form.',
      when: 'always',
      run(session) {
        session.lldb = true;
        return '';
      },
    }),
  ];
}
