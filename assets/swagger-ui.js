/** The page /docs: Swagger UI over the API's own document. */
const page = window.SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#document',
  deepLinking: true,
  filter: true,
  displayRequestDuration: true,
  // Else it asks a server of its maker whether the document is valid.
  validatorUrl: null,
  // A tab that is closed forgets who signed in.
  persistAuthorization: false,
})

// The dialog insists on a client's name, which the API does not ask for.
page.initOAuth({ clientId: 'swagger-ui' })
