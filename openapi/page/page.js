// Starts the reference. It stands in a file of its own, since the page allows no inline script.
window.addEventListener("load", () => {
  SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#reference",
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    docExpansion: "list",
    filter: true,
    validatorUrl: null, // asks nobody outside
  });
});
