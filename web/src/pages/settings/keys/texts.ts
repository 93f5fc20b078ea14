export { s } from '../security/texts'
