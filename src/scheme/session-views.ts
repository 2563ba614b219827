import { renderView } from './frame.ts'
import type { Scheme } from './scheme.ts'
import type { AccountView, LoginView } from './views.ts'

/** The form to log in with, as an HTML document. */
export function renderLogin(scheme: Scheme, view: LoginView): string {
  const { frame, action, csrf, next, error, user } = view
  return renderView(scheme, 'login', {
    frame: { ...frame, loginUrl: null },
    head: { title: 'Log in', noindex: true },
    breadcrumb: [],
    context: { action, csrf, next, error, login: user },
  })
}

/** Who is logged in, with the button to log out, as an HTML document. */
export function renderAccount(scheme: Scheme, view: AccountView): string {
  const { frame, name, login, pageUrl, logoutAction, csrf } = view
  return renderView(scheme, 'account', {
    frame,
    head: { title: name, noindex: true },
    breadcrumb: [],
    context: { name, login, pageUrl, logoutAction, csrf, roles: view.roles.join(', ') },
  })
}
