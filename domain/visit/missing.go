package visit

import "example.com/walkaround/domain"

// sentence says in English what is missing, for the developer who reads the answer.
func (m Missing) sentence() string {
	switch m.Code {
	case CodeIntakeEmpty:
		return "record what the customer asks for"
	case CodeNotRestated:
		return "restate the request to the customer"
	case CodeCoversNotFitted:
		return "fit all three covers, with the time"
	case CodeReminderMissing:
		return "give the reminder about valuables"
	case CodeReminderLate:
		return "the reminder was given after the covers were fitted"
	case CodeCustomerAbsent:
		return "the customer must be present at the walk-around"
	case CodeChecklist:
		return "answer this entry of the checklist; its code stands behind /items/"
	case CodeDamageNoPhoto:
		return "photograph the damage"
	case CodePhotoMissing:
		return "upload the photo"
	case CodeRecordingMissing:
		return "upload the recording"
	case CodeReasonMissing:
		return "the odometer reads less than last time; say why"
	default:
		return ""
	}
}

// refuseMissing is the refusal of a signature: the first code, and everything that is missing.
func refuseMissing(m []Missing) error {
	fields := make([]domain.Field, len(m))
	for i, missing := range m {
		fields[i] = domain.Field{Pointer: missing.Pointer, Code: missing.Code, Message: missing.sentence()}
	}
	return &domain.Error{Code: m[0].Code, Detail: "the sheet can't be signed yet; errors lists all that is missing", Fields: fields}
}
