import { findsThreadLibrary } from '../../engine/linux/thread-library';
import { tlsAddress } from '../../engine/linux/tls';
import type { ThreadSpec } from '../args';
import { packet, type Packet } from '../packet';
import { ReplyError } from '../reply';

const ENOENT = 2;
const ESRCH = 3;

/** Symbols and thread-local storage. */
export const symbols: Packet[] = [
  packet({
    match: 'qSymbol:',
    syntax: 'qSymbol:[VALUE]:[NAME]',
    summary: 'Offers to look up symbols; the server reads them itself and wants none.',
    when: 'stopped',
    run: () => 'OK',
  }),
  packet<{ spec: ThreadSpec; offset: bigint; lm: bigint }>({
    match: 'qGetTLSAddr:',
    syntax: 'qGetTLSAddr:thread-id,OFFSET,LINK-MAP',
    summary: 'Gives the address of a thread-local variable of one module in one thread.',
    when: 'inferior',
    args: (args) => {
      const spec = args.thread();
      const offset = args.lit(',').big();
      const lm = args.lit(',').big();
      args.close();
      return { spec, offset, lm };
    },
    run(session, { spec, offset, lm }) {
      const thread = session.find(spec);
      const inferior = thread && session.engine.inferiors.get(thread.pid);
      if (!thread || !inferior) throw new ReplyError(ESRCH, `there is no thread ${spec.tid}`);
      const { threadLibraries } = session.target;
      if (!findsThreadLibrary(threadLibraries))
        throw new ReplyError(
          ENOENT,
          `no libthread_db in ${threadLibraries}: monitor set libthread-db-search-path`,
        );
      return tlsAddress(session.engine, inferior, thread, lm, offset).toString(16);
    },
  }),
];
