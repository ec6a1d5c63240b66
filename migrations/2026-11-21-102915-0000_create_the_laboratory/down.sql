-- Drop table public.calibrations
-- hazard: loses every row of public.calibrations
DROP TABLE public.calibrations;

-- Drop table public.readings
-- hazard: loses every row of public.readings
DROP TABLE public.readings;

-- Drop table public.devices
-- hazard: loses every row of public.devices
DROP TABLE public.devices;

-- Drop table public.equipment
-- hazard: loses every row of public.equipment
DROP TABLE public.equipment;

-- Drop table public.users
-- hazard: loses every row of public.users
DROP TABLE public.users;

-- Drop enum type public.calibration_status
DROP TYPE public.calibration_status;
