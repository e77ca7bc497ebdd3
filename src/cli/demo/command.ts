import type { CommandModule } from 'yargs';

export const command: CommandModule = {
  command: 'demo',
  describe: 'watch gdb debug a small program while an observer prints its system calls',
  handler: async () => {
    const { demo } = await import('./demo.js');
    process.exit((await demo()) ? 0 : 1);
  },
};
