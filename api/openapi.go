package api

//	@title			Walkaround
//	@version		0.1.0
//	@description.markdown
//	@license.name	Apache 2.0
//	@license.url	https://www.apache.org/licenses/LICENSE-2.0

//	@securityDefinitions.apikey	bearer
//	@in							header
//	@name						Authorization
//	@description				An access token of /v1/auth/login: `Authorization: Bearer …`. It lasts 15 minutes.

//	@tag.name			auth
//	@tag.description	Signing in, refreshing, signing out; the keys of access tokens.
//	@tag.name			staff
//	@tag.description	Accounts of a store and their roles.
//	@tag.name			stores
//	@tag.description	Stores and their settings.
//	@tag.name			visits
//	@tag.description	One stay of a vehicle: arrival, queue, intake, walk-around, events.
//	@tag.name			photos
//	@tag.description	Photos and recordings of a visit: write-once, kept byte for byte.
//	@tag.name			signatures
//	@tag.description	The customer's signature, and new revisions of what he signed.
//	@tag.name			evidence
//	@tag.description	What makes a signed sheet provable: canonical form, sealed PDF, bundle, checkpoints, verification.
//	@tag.name			vehicles
//	@tag.description	Vehicles, their plates and their damage ledger.
//	@tag.name			customers
//	@tag.description	Customers as the store's files know them.
//	@tag.name			templates
//	@tag.description	Checklists, phrases of courtesy, drawings of the car.
//	@tag.name			system
//	@tag.description	Health, metrics, this document.
