import { vmSuite } from './vm-suite';

await vmSuite(1);
