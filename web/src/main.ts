import { mount } from 'svelte'
import App from './App.svelte'
import { fetchTexts } from '$lib/i18n/index.svelte'
import { keys } from '$lib/keys.svelte'
import { match, router } from '$lib/router.svelte'
import { session } from '$lib/session.svelte'
import { settings } from '$lib/settings.svelte'
import { routes } from './routes'
import './styles/tokens.css'
import './styles/base.css'
import './styles/icons.css'

settings.apply()
router.start()
keys.start()
// All that the first sight needs is asked for at once.
void session.start()
void match(router.path, routes)?.value.load().catch(() => undefined)

const target = document.getElementById('app')
void fetchTexts(settings.locale).then(() => target && mount(App, { target }))
