/** The patients of the demonstration data, and their visits behind and ahead. Everybody is invented. */

/** Patients in the order of their ids: the first is usr_demopatient01. */
export const PATIENTS = [
  {
    handle: 'anika',
    fullName: 'Anika Ahmed',
    mobile: '+8801700000101',
    timeZone: 'Asia/Dhaka',
    dateOfBirth: '1991-04-17',
    sex: 'female',
    address: 'Flat 4B, 31 Satmasjid Road, Dhaka',
    insurance: ['Meghna Health', 'MH-448201'],
  },
  {
    handle: 'fahim',
    fullName: 'Fahim Hasan',
    mobile: '+8801700000102',
    timeZone: 'Asia/Dhaka',
    dateOfBirth: '1978-11-02',
    sex: 'male',
    address: '12 Nasirabad, Chattogram',
    insurance: ['Padma Care', 'PC-90331'],
  },
  {
    handle: 'rupa',
    fullName: 'Rupa Sarker',
    mobile: '+8801700000103',
    timeZone: 'Asia/Dhaka',
    dateOfBirth: '2001-02-28',
    sex: 'female',
    address: '8 Talaimari, Rajshahi',
  },
  {
    handle: 'jamil',
    fullName: 'Jamil Uddin',
    mobile: '+8801700000104',
    timeZone: 'Asia/Dhaka',
    dateOfBirth: '1956-07-30',
    sex: 'male',
    address: '2 Ganginarpar, Mymensingh',
  },
  {
    // Lives abroad: her own zone is not her doctors'.
    handle: 'mitu',
    fullName: 'Mitu Barua',
    mobile: '+447700900105',
    timeZone: 'Europe/London',
    dateOfBirth: '1988-09-09',
    sex: 'female',
    address: '60 Brick Lane, London',
  },
]

/** The time of a visit that is under way: it began with the last slot. */
export const NOW = 'now'

/**
 * A visit lies on the first day on which the doctor's rule occurs, from so many days ahead of today on
 * (behind, if negative, and then counted back), at this wall-clock time of the doctor.
 */
const visit = (patient, doctor, rule, days, time, status, rest = {}) => ({
  patient,
  doctor,
  rule,
  days,
  time,
  status,
  ...rest,
})

export const VISITS = [
  visit('anika', 'rahman', 0, -40, '10:30', 'completed', { remarks: 'Blood pressure well controlled.' }),
  visit('anika', 'islam', 1, -12, '15:30', 'completed'),
  visit('fahim', 'hossain', 1, -33, '18:30', 'completed'),
  visit('fahim', 'rahman', 1, -9, '17:00', 'no-show'),
  visit('rupa', 'islam', 0, -20, '09:00', 'completed'),
  visit('rupa', 'akter', 0, -6, '23:30', 'completed'),
  visit('jamil', 'karim', 0, -25, '08:00', 'completed'),
  visit('jamil', 'karim', 1, -4, '18:30', 'cancelled', { reason: 'The trains were not running.' }),
  visit('mitu', 'whitfield', 1, -15, '13:30', 'completed'),
  visit('mitu', 'sultana', 0, -28, '11:00', 'cancelled', { reason: 'Found an earlier date.' }),
  visit('rupa', 'sultana', 0, -8, '10:00', 'rejected', { remarks: 'Please see a paediatrician for this.' }),
  visit('jamil', 'mollah', 0, 0, NOW, 'in-progress', { notes: 'Fever since Tuesday.' }),
  visit('anika', 'rahman', 1, 3, '18:00', 'confirmed', { notes: 'Bringing the results of the last ECG.' }),
  visit('anika', 'banerjee', 0, 9, '11:00', 'confirmed'),
  visit('fahim', 'hossain', 1, 5, '19:30', 'confirmed'),
  visit('rupa', 'islam', 0, 2, '10:30', 'confirmed'),
  visit('rupa', 'sultana', 0, 4, '09:30', 'pending', { notes: 'First visit.' }),
  visit('jamil', 'karim', 0, 2, '08:30', 'confirmed'),
  visit('jamil', 'das', 0, 6, '09:15', 'confirmed'),
  visit('mitu', 'whitfield', 0, 7, '08:30', 'confirmed'),
  visit('mitu', 'carter', 0, 10, '08:00', 'confirmed'),
  visit('fahim', 'nguyen', 0, 8, '14:30', 'confirmed'),
]
