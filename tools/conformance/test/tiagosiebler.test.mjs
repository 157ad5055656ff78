import { conform } from '../lib/conform.mjs';

await conform('tiagosiebler', ['market', 'streams', 'orders', 'lists', 'user', 'errors']);
