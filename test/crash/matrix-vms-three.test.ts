import { vmSuite } from './vm-suite';

await vmSuite(2);
