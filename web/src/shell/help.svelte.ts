class Help {
  open = $state(false)
}
/** Whether the list of shortcuts is shown. */
export const help = new Help()
