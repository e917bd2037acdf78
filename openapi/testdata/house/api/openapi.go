// Package api is the sample API that the tests of the generator read.
package api

// @title			Sample house
// @version		1
// @description.markdown
// @license.name	Apache-2.0
// @license.url	https://www.apache.org/licenses/LICENSE-2.0
// @tag.name		visits
// @tag.description	One stay of a car.
// @tag.name		auth
// @tag.description	Who is asking.
// @securityDefinitions.oauth2.application	oauth2
// @tokenUrl		/oauth/token
// @scope.visits:read	Read visits.
// @scope.visits:write	Change visits.
