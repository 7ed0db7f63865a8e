/** Archives as others make them, and as nobody should: written by hand, byte by byte. */
export interface TarEntry {
  name: string;
  content?: Buffer | string;
  /** '0': a file; '2': a symbolic link. */
  type?: string;
  linkName?: string;
}

const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;

function headerOf({ name, type = '0', linkName = '' }: TarEntry, size: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, 'utf8');
  header.write(octal(0o644, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(0, 11), 136);
  header.write(' '.repeat(8) + type, 148);
  header.write(linkName, 157, 100, 'utf8');
  header.write('ustar\0' + '00', 257);
  header.write(
    octal(
      header.reduce((sum, byte) => sum + byte, 0),
      6,
    ),
    148,
  );
  return header;
}
/** ustar, with its two empty blocks at the end. */
export const tarOf = (entries: TarEntry[]): Buffer =>
  Buffer.concat([
    ...entries.flatMap((entry) => {
      const content = Buffer.from(entry.content ?? '');
      return [headerOf(entry, content.length), content, Buffer.alloc((512 - (content.length % 512)) % 512)];
    }),
    Buffer.alloc(1_024),
  ]);

const CIM = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2';
const VMDK = 'http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized';

/** As VirtualBox writes it: elements without a prefix, its own units, an IDE and a SATA controller, disks in the order of nobody. */
export const virtualBoxOvf = (files: [string, string]): string => `<?xml version="1.0"?>
<Envelope ovf:version="1.0" xml:lang="en-US" xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="${CIM}/CIM_ResourceAllocationSettingData" xmlns:vssd="${CIM}/CIM_VirtualSystemSettingData" xmlns:vbox="http://www.virtualbox.org/ovf/machine">
  <References><File ovf:id="file2" ovf:href="${files[1]}"/><File ovf:id="file1" ovf:href="${files[0]}"/></References>
  <DiskSection><Info>List of the virtual disks</Info>
    <Disk ovf:capacity="3145728" ovf:diskId="vmdisk2" ovf:fileRef="file2" ovf:format="${VMDK}" vbox:uuid="b"/>
    <Disk ovf:capacity="10485760" ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:format="${VMDK}" vbox:uuid="a"/>
  </DiskSection>
  <NetworkSection><Info>Networks</Info><Network ovf:name="NAT"/></NetworkSection>
  <VirtualSystem ovf:id="box"><Info>A virtual machine</Info>
    <VirtualHardwareSection><Info>Hardware</Info>
      <System><vssd:ElementName>Virtual Hardware Family</vssd:ElementName><vssd:InstanceID>0</vssd:InstanceID><vssd:VirtualSystemType>virtualbox-2.2</vssd:VirtualSystemType></System>
      <Item><rasd:Caption>2 virtual CPU</rasd:Caption><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>3</rasd:ResourceType><rasd:VirtualQuantity>2</rasd:VirtualQuantity></Item>
      <Item><rasd:AllocationUnits>MegaBytes</rasd:AllocationUnits><rasd:InstanceID>2</rasd:InstanceID><rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>64</rasd:VirtualQuantity></Item>
      <Item><rasd:Address>0</rasd:Address><rasd:InstanceID>5</rasd:InstanceID><rasd:ResourceSubType>AHCI</rasd:ResourceSubType><rasd:ResourceType>20</rasd:ResourceType></Item>
      <Item><rasd:AddressOnParent>1</rasd:AddressOnParent><rasd:HostResource>/disk/vmdisk2</rasd:HostResource><rasd:InstanceID>7</rasd:InstanceID><rasd:Parent>5</rasd:Parent><rasd:ResourceType>17</rasd:ResourceType></Item>
      <Item><rasd:AddressOnParent>0</rasd:AddressOnParent><rasd:HostResource>/disk/vmdisk1</rasd:HostResource><rasd:InstanceID>6</rasd:InstanceID><rasd:Parent>5</rasd:Parent><rasd:ResourceType>17</rasd:ResourceType></Item>
      <Item><rasd:AutomaticAllocation>true</rasd:AutomaticAllocation><rasd:Connection>NAT</rasd:Connection><rasd:InstanceID>8</rasd:InstanceID><rasd:ResourceSubType>E1000</rasd:ResourceSubType><rasd:ResourceType>10</rasd:ResourceType></Item>
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>
`;

/** As VMware writes it: a prefix everywhere, units as powers of two, EFI said in an element of its own. */
export const vmwareOvf = (file: string): string => `<?xml version='1.0' encoding='UTF-8'?>
<ovf:Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:r="${CIM}/CIM_ResourceAllocationSettingData" xmlns:vmw="http://www.vmware.com/schema/ovf">
  <ovf:References><ovf:File ovf:href="${file}" ovf:id="file1" ovf:size="65536"/></ovf:References>
  <ovf:DiskSection><ovf:Info>Disks</ovf:Info><ovf:Disk ovf:capacity="10" ovf:capacityAllocationUnits="byte * 2^20" ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:format="${VMDK}" ovf:populatedSize="0"/></ovf:DiskSection>
  <ovf:VirtualSystem ovf:id="vm"><ovf:Info>A VM</ovf:Info><ovf:Name>My VM 1</ovf:Name>
    <ovf:VirtualHardwareSection><ovf:Info>Hardware</ovf:Info>
      <ovf:Item><r:AllocationUnits>hertz * 10^6</r:AllocationUnits><r:InstanceID>1</r:InstanceID><r:ResourceType>3</r:ResourceType><r:VirtualQuantity>1</r:VirtualQuantity></ovf:Item>
      <ovf:Item><r:AllocationUnits>byte * 2^30</r:AllocationUnits><r:InstanceID>2</r:InstanceID><r:ResourceType>4</r:ResourceType><r:VirtualQuantity>1</r:VirtualQuantity></ovf:Item>
      <ovf:Item><r:InstanceID>3</r:InstanceID><r:ResourceSubType>VirtualSCSI</r:ResourceSubType><r:ResourceType>6</r:ResourceType></ovf:Item>
      <ovf:Item><r:AddressOnParent>0</r:AddressOnParent><r:HostResource>ovf:/disk/vmdisk1</r:HostResource><r:InstanceID>4</r:InstanceID><r:Parent>3</r:Parent><r:ResourceType>17</r:ResourceType></ovf:Item>
      <ovf:Item><r:InstanceID>5</r:InstanceID><r:ResourceSubType>VmxNet3</r:ResourceSubType><r:ResourceType>10</r:ResourceType></ovf:Item>
      <ovf:Item><r:InstanceID>6</r:InstanceID><r:ResourceSubType>VmxNet3</r:ResourceSubType><r:ResourceType>10</r:ResourceType></ovf:Item>
      <vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="efi"/>
    </ovf:VirtualHardwareSection>
  </ovf:VirtualSystem>
</ovf:Envelope>
`;
