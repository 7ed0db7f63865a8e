/**
 * The smallest guest, a boot sector of our own: it says MICRO-READY on the serial line, echoes what it is sent, and switches
 * itself off (ACPI) when its power button is pressed or it reads a `q`. 16-bit code: set SCI_EN by the port 0x602 so that the
 * button is seen, print, then look at the serial line's status (0x3fd) and PM1a's (0x600), where bit 8 is the button, and rest until
 * the timer's next tick (of all interrupts it alone is let through) when there was neither: one that turned all the time would take
 * a processor from whatever is tested beside it. Off is S5 at 0x604. The ports are those of QEMU's q35.
 */
const CODE =
  '+jHAjtiO0LwAfLD+5iGw/+ahugIGuAAB775nfKyEwHQI6DQA6/b79Pq6/QPsqAF1C7oABu2pAAF1D+vquvgD7DxxdAXoEQDr4LBP6AoAugQGuA' +
  'Ag7/Tr/VC6/QPsqCB0+Fi6+APuw01JQ1JPLVJFQURZDQo=';

function bootSector(code: Buffer): Buffer {
  const sector = Buffer.alloc(512);
  code.copy(sector);
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}
/** A raw disk of 512 bytes. */
export const microGuest = (): Buffer => bootSector(Buffer.from(CODE, 'base64'));
/** One that notices nothing any more: cli, hlt, and again. */
export const deafGuest = (): Buffer => bootSector(Buffer.from([0xfa, 0xf4, 0xeb, 0xfc]));
/** One that fills its screen (mode 13h) with the colour of each character that is typed: its code, of which four bits count. */
export const colourGuest = (): Buffer =>
  bootSector(Buffer.from('uBMAzRC4AKCOwDHAzRYkD7kA+jH//POq6/A=', 'base64'));
/**
 * One that lets go of whatever it is asked to, as a system does that knows about hot-plugging: at each tick of the timer it looks
 * at every slot (0xcd0 chooses the bus, 0xcc4 tells what is to go, writing that to 0xcc8 lets go of it; QEMU, acpi_pci_hotplug).
 */
export const lettingGoGuest = (): Buffer =>
  bootSector(
    Buffer.from('+jHAjtC8AHyw/uYhsP/mofv0ZjHJutAMZonIZu+6xAxm7WaFwHQFusgMZu9Bg/kgdePr3Q==', 'base64'),
  );
/** One that is never idle: it jumps to where it is. */
export const busyGuest = (): Buffer => bootSector(Buffer.from([0xeb, 0xfe]));
