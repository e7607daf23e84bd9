package handlers

// Routes is the table of contents, for the tests that hold it to its word.
func (c *Console) Routes() []Route { return c.routes() }

func (c *Console) DevRoutes() []Route { return c.devRoutes() }
