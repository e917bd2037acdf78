package evidence

// readMe is the first entry of every bundle. VerifyBundle takes no other text, so a change must keep the former ones readable.
// It is longer than 1 KiB: a reader of PDFs looks for the beginning of one in the first 1,024 bytes of a file, and must find
// nothing there that anybody but this program wrote.
const readMe = `This bundle proves one walk-around sheet.

  walkaround verify --keys keys.json FILE.zip

checks it without a network. Get keys.json from the store's own address,
/.well-known/walkaround-keys.json: the copy in here only says which keys
to ask for, and proves nothing by itself.

What is in here:

  inspection.pdf    the sheet as the customer got it, signed to its end
  inspection.json   the form that was signed, in canonical form
  seal.json         what the store attests about the signature
  keys.json         the keys that signed something in here
  checkpoint.json   the store's list of seals that holds this one, if
                    one was made already, maybe with a timestamp
  inclusion.json    the way from the seal to that list
  photos/           the photos that the form names, by their SHA-256
  recordings/       recordings that the form names, if any were put in

Keep this file as it is. What was unpacked and packed again, or has one
byte more or less, is called not genuine, even if every part of it is
still the same. Open the sheet only after the whole bundle was found to
be genuine, and open the one that is in here: another file of the same
name may say something else.
`
