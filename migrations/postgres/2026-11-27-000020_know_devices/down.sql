DROP TABLE device_generations;
DROP TABLE device_secret;
